//! Lines that are cut, slow, deaf or not there at all.

use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crm_domain::ports::messenger::{Messenger as _, SendError, SendProblem as P};
use crm_lineworks::{LineWorks, Timeouts};

use crate::line::{Act, Line, answer, write};
use crate::setup::{PATIENT, USER, clock, config, soon, text_to};

fn client(address: &str, timeouts: Timeouts) -> LineWorks {
    let mut config = config(format!("{address}/token"), format!("{address}/v1.0"));
    config.timeouts = timeouts;
    LineWorks::new(config, clock()).unwrap()
}

async fn outcome(act: Act, timeouts: Timeouts) -> (Result<(), SendError>, Vec<String>) {
    let line = Line::after_token(vec![act]);
    let client = client(&line.address, timeouts);
    let outcome = client
        .send_text(&text_to(&client, USER, "こんにちは"), soon(&client))
        .await
        .outcome;
    (outcome, line.requests())
}

#[tokio::test]
async fn what_goes_over_the_line() {
    let (sent, requests) = outcome(|stream| answer(stream, "201 Created", ""), PATIENT).await;
    assert_eq!((sent, requests.len()), (Ok(()), 2));
    let (token, message) = (&requests[0], &requests[1]);
    assert!(token.starts_with("POST /token HTTP/1.1\r\n"), "{token}");
    assert!(
        token.contains("content-type: application/x-www-form-urlencoded\r\n"),
        "{token}"
    );
    assert!(
        token.contains("&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&"),
        "{token}"
    );
    assert!(token.ends_with("&scope=bot"), "{token}");
    assert!(message.starts_with(&format!(
        "POST /v1.0/bots/2000001/users/{USER}/messages HTTP/1.1\r\n"
    )));
    assert!(message.contains("authorization: Bearer abc\r\n"), "{message}");
    assert!(
        message.contains("content-type: application/json\r\n"),
        "{message}"
    );
    let (_, body) = message.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({"content": {"type": "text", "text": "こんにちは"}})
    );
}

#[tokio::test]
async fn a_line_that_ends_is_told_by_what_has_come() {
    let cases: [(Act, Result<(), SendError>); 6] = [
        (|_| {}, Err(SendError::Unknown(P::LineCut))),
        (
            |stream| write(stream, "HTTP/1.1 20"),
            Err(SendError::Unknown(P::LineCut)),
        ),
        (
            |stream| write(stream, "not HTTP at all\r\n\r\n"),
            Err(SendError::Unknown(P::ServerError)),
        ),
        (
            |stream| write(stream, "HTTP/1.1 201 Created\r\ncontent-length: 99\r\n\r\n{"),
            Ok(()),
        ),
        (
            |stream| {
                write(
                    stream,
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{",
                );
            },
            Ok(()),
        ),
        (
            |stream| write(stream, "HTTP/1.1 403 Forbidden\r\ncontent-length: 99\r\n\r\n{"),
            Err(SendError::Refused(P::Forbidden)),
        ),
    ];
    for (number, (act, expected)) in cases.into_iter().enumerate() {
        let (seen, requests) = outcome(act, PATIENT).await;
        assert_eq!((seen, requests.len()), (expected, 2), "case {number}");
    }
}

#[tokio::test]
async fn a_slow_answer_is_given_up_in_time() {
    let slow: Act = |stream| {
        std::thread::sleep(Duration::from_secs(3));
        stream.shutdown(Shutdown::Both).unwrap_or_default();
    };
    let receive = Timeouts {
        receive: Duration::from_millis(300),
        ..PATIENT
    };
    let total = Timeouts {
        total: Duration::from_millis(800),
        ..PATIENT
    };
    for timeouts in [receive, total] {
        let started = Instant::now();
        let (seen, _) = outcome(slow, timeouts).await;
        assert_eq!(seen, Err(SendError::Unknown(P::TimedOut)));
        assert!(
            started.elapsed() < Duration::from_millis(2_500),
            "{:?}",
            started.elapsed()
        );
    }
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = client(&address, PATIENT);
    let outcome = client
        .send_text(&text_to(&client, USER, "?"), soon(&client))
        .await
        .outcome;
    assert_eq!(
        outcome,
        Err(SendError::NotSent {
            problem: P::NoConnection,
            wait: None
        })
    );
    assert_eq!(client.bot_setup().await.unwrap_err().problem, P::NoConnection);
}

#[tokio::test]
async fn nobody_has_this_name() {
    let client = client("http://no-such-host.invalid", PATIENT);
    let outcome = client
        .send_text(&text_to(&client, USER, "?"), soon(&client))
        .await
        .outcome;
    assert_eq!(
        outcome,
        Err(SendError::NotSent {
            problem: P::NoConnection,
            wait: None
        })
    );
}

#[tokio::test]
async fn the_api_refuses_connections_while_the_token_is_there() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let line = Line::after_token(Vec::new());
    let config = config(format!("{}/token", line.address), format!("http://{gone}/v1.0"));
    let client = LineWorks::new(config, clock()).unwrap();
    let outcome = client
        .send_text(&text_to(&client, USER, "?"), soon(&client))
        .await
        .outcome;
    assert_eq!(
        outcome,
        Err(SendError::NotSent {
            problem: P::NoConnection,
            wait: None
        })
    );
    assert_eq!(line.requests().len(), 1);
}

/// TLS is expected and plain text answers: nothing of the message has left.
#[tokio::test]
async fn tls_that_fails_sends_nothing() {
    let line = Line::after_token(vec![|stream| answer(stream, "400 Bad Request", "")]);
    let https = line.address.replace("http://", "https://");
    let config = config(format!("{}/token", line.address), format!("{https}/v1.0"));
    let client = LineWorks::new(config, clock()).unwrap();
    let outcome = client
        .send_text(&text_to(&client, USER, "?"), soon(&client))
        .await
        .outcome;
    assert_eq!(
        outcome,
        Err(SendError::NotSent {
            problem: P::NoConnection,
            wait: None
        })
    );
}

#[tokio::test]
async fn tls_that_hangs_sends_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let line = Line::after_token(Vec::new());
    let api = format!("https://{}/v1.0", silent.local_addr().unwrap());
    let mut config = config(format!("{}/token", line.address), api);
    config.timeouts = Timeouts {
        connect: Duration::from_millis(300),
        ..PATIENT
    };
    let client = LineWorks::new(config, clock()).unwrap();
    let outcome = client
        .send_text(&text_to(&client, USER, "?"), soon(&client))
        .await
        .outcome;
    assert_eq!(
        outcome,
        Err(SendError::NotSent {
            problem: P::NoConnection,
            wait: None
        })
    );
}

#[tokio::test]
async fn those_whose_turn_does_not_come_have_sent_nothing() {
    let slow: Act = |_| std::thread::sleep(Duration::from_millis(1_500));
    let line = Line::after_token(vec![slow; 20]);
    let timeouts = Timeouts {
        total: Duration::from_millis(700),
        ..PATIENT
    };
    let client = Arc::new(client(&line.address, timeouts));
    let senders: Vec<_> = (0..9)
        .map(|_| {
            let client = Arc::clone(&client);
            tokio::spawn(async move {
                client
                    .send_text(&text_to(&client, USER, "?"), soon(&client))
                    .await
                    .outcome
            })
        })
        .collect();
    let mut waited = 0;
    for sender in senders {
        let outcome = sender.await.unwrap();
        assert!(outcome.is_err());
        waited += u32::from(
            outcome
                == Err(SendError::NotSent {
                    problem: P::NoConnection,
                    wait: None,
                }),
        );
    }
    assert_eq!(waited, 1);
}
