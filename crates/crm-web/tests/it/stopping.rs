//! The stop: streams end first, who asked is answered, nobody new is taken.

use std::time::{Duration, Instant};

use crm_domain::members::Role;
use crm_lineworks_sim::{Endpoint, Fault};
use crm_testkit::postgres::TestDatabase;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::server::Setup;
use crate::harness::stream::Listener;
use crate::harness::{Answer, Ask, TARO, TestServer, until};

const PATIENCE: Duration = Duration::from_secs(10);

/// Reads one answer, and leaves the connection as it is.
async fn answer_on(stream: &mut TcpStream) -> Answer {
    let mut received = Vec::new();
    let reading = async {
        loop {
            let mut buffer = [0; 4_096];
            let count = stream.read(&mut buffer).await.unwrap();
            received.extend(&buffer[..count]);
            if let Some(answer) = Answer::parse(&received) {
                let length = answer
                    .header("content-length")
                    .and_then(|length| length.parse().ok());
                if count == 0 || length.is_some_and(|length: usize| answer.body.len() >= length) {
                    return answer;
                }
            }
            assert!(count > 0, "closed without an answer");
        }
    };
    tokio::time::timeout(PATIENCE, reading)
        .await
        .expect("an answer in time")
}

#[tokio::test]
async fn streams_end_first_and_who_asked_is_answered() {
    let server = TestServer::start().await;
    let browser = server.signed_in(Role::Member).await;
    let mut listener = Listener::open(server.address, &browser, "/events", None).await;
    listener.until_opened().await;
    let bytes = Ask::post("/login")
        .header("origin", format!("http://{}", server.address))
        .form(&[("email", "nobody@example.jp"), ("password", "wrong")])
        .bytes_for(server.address);
    let (first, rest) = bytes.split_at(bytes.len() - 3);
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    slow.write_all(first).await.unwrap();
    // Taken by the server, before or while it is told to stop: both are answered.
    let told = Instant::now();
    server.tell_to_stop().await;
    assert_eq!(listener.next().await, None);
    assert!(told.elapsed() < Duration::from_secs(1), "{:?}", told.elapsed());
    until("nobody new is taken", async || {
        TcpStream::connect(server.address).await.err().map(drop)
    })
    .await;
    assert!(told.elapsed() < Duration::from_secs(2), "{:?}", told.elapsed());
    slow.write_all(rest).await.unwrap();
    let answer = answer_on(&mut slow).await;
    assert_eq!(
        answer.status,
        403,
        "no token in the form, but an answer: {}",
        answer.text()
    );
    server.wait_for_log("stopped").await;
    assert!(!server.log().contains("too long"), "{}", server.log());
}

#[tokio::test]
async fn a_request_that_comes_on_an_old_connection_is_answered_and_ends_it() {
    let server = TestServer::start().await;
    let ask = format!("GET /readyz HTTP/1.1\r\nhost: {}\r\n\r\n", server.address);
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(ask.as_bytes()).await.unwrap();
    let before = answer_on(&mut stream).await;
    assert_eq!((before.status, before.header("connection")), (200, None));
    server.tell_to_stop().await;
    until("nobody new is taken", async || {
        TcpStream::connect(server.address).await.err().map(drop)
    })
    .await;
    stream.write_all(ask.as_bytes()).await.unwrap();
    let last = answer_on(&mut stream).await;
    assert_eq!((last.status, last.header("connection")), (503, Some("close")));
    let mut more = Vec::new();
    assert_eq!(stream.read_to_end(&mut more).await.unwrap(), 0);
    server.wait_for_log("stopped").await;
}

/// What was accepted must not become 結果不明 because the database is away for a moment while the server stops.
#[tokio::test]
async fn the_outcome_of_a_message_is_stored_until_the_last_moment_of_a_stop() {
    let setup = Setup {
        shared: true,
        ..Setup::default()
    };
    let mut server = TestServer::start_with(setup).await;
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    let mut browser = server.signed_in(Role::Member).await;
    browser.get(&format!("/customer/{customer}")).await;
    let slow = Fault::Slow(Duration::from_secs(2));
    server.simulator.fail_next_on(Endpoint::Send, 1, slow);
    let cookie = format!("crm_session={}", browser.cookie("crm_session").unwrap());
    let ask = Ask::post(&format!("/customer/{customer}/send"))
        .header("cookie", cookie)
        .header("x-csrf-token", browser.token.clone())
        .form(&[("message", "間に合います")]);
    let address = server.address;
    let _asking = tokio::spawn(async move { ask.try_send(address).await });
    until("it is on its way", async || {
        (server.simulator.messages_to(TARO).len() == 1).then_some(())
    })
    .await;
    let database = server.database().unwrap();
    database.shut();
    server.tell_to_stop().await;
    server.wait_for_log("cannot be stored, trying again").await;
    TestDatabase::open_again(database.name());
    server.stop().await;
    let state = server.database().unwrap().sql("SELECT state FROM sends");
    assert_eq!(state, "sent", "{}", server.log());
}
