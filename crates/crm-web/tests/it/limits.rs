//! Slow, oversized and garbled requests: poem's pitfalls 1, 2 and 8, closed.

use std::time::{Duration, Instant};

use crm_domain::members::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Answer, Ask, Setup, TestServer};

const MIB: usize = 1024 * 1024;

async fn connect(server: &TestServer) -> TcpStream {
    TcpStream::connect(server.address).await.unwrap()
}

/// What comes until the connection ends, and how long that took.
async fn to_the_end(mut stream: TcpStream) -> (Vec<u8>, Duration) {
    let begun = Instant::now();
    let mut received = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut received)).await;
    drop(read.expect("the server ends the connection"));
    (received, begun.elapsed())
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let server = TestServer::start().await;
    let silent = connect(&server).await;
    let mut dripping = connect(&server).await;
    dripping
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        .await
        .unwrap();
    let (reader, mut writer) = dripping.into_split();
    let drip = tokio::spawn(async move {
        while writer.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
    let begun = Instant::now();
    let (silent, dripped) = tokio::join!(to_the_end(silent), async {
        let mut reader = reader;
        let mut received = Vec::new();
        drop(reader.read_to_end(&mut received).await);
        begun.elapsed()
    });
    drip.abort();
    for took in [silent.1, dripped] {
        assert!(
            took > Duration::from_secs(8) && took < Duration::from_secs(14),
            "{took:?}"
        );
    }
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let server = TestServer::start().await;
    let mut stream = connect(&server).await;
    stream
        .write_all(b"POST /webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100\r\n\r\n{")
        .await
        .unwrap();
    let (received, took) = to_the_end(stream).await;
    assert_eq!(Answer::parse(&received).expect("an answer").status, 408);
    assert!(
        took > Duration::from_secs(4) && took < Duration::from_secs(9),
        "{took:?}"
    );
}

#[tokio::test]
async fn a_body_that_drips_is_cut_before_its_time() {
    let server = TestServer::start().await;
    let mut stream = connect(&server).await;
    let head = b"POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9000\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let drip = tokio::spawn(async move {
        while writer.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let begun = Instant::now();
    let mut received = Vec::new();
    drop(tokio::time::timeout(Duration::from_secs(20), reader.read_to_end(&mut received)).await);
    drip.abort();
    assert_eq!(Answer::parse(&received).expect("an answer").status, 408);
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn no_route_takes_more_than_one_mebibyte() {
    let server = TestServer::start().await;
    for path in ["/webhook", "/login", "/api/v1/customers", "/nowhere", "/"] {
        let over = Ask::post(path)
            .header("content-type", "application/json")
            .bytes(vec![b'a'; MIB + 1]);
        assert_eq!(over.send(server.address).await.status, 413, "{path}");
    }
    let whole = Ask::post("/webhook").bytes(vec![b'a'; MIB]);
    assert_eq!(whole.send(server.address).await.status, 200);
    let problem = Ask::post("/api/v1/customers")
        .bytes(vec![b'a'; MIB + 1])
        .send(server.address)
        .await;
    assert_eq!(problem.header("content-type"), Some("application/problem+json"));
    assert_eq!(problem.json()["code"], "too_large");
}

#[tokio::test]
async fn sizes_are_counted_and_not_believed() {
    let server = TestServer::start().await;
    let mut stream = connect(&server).await;
    let head =
        b"POST /webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let chunk = [
        format!("{:x}\r\n", 64 * 1024).as_bytes(),
        &vec![b'a'; 64 * 1024],
        b"\r\n",
    ]
    .concat();
    for _ in 0..17 {
        stream.write_all(&chunk).await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let (received, _) = to_the_end(stream).await;
    assert_eq!(Answer::parse(&received).expect("an answer").status, 413);
    let mut asking = connect(&server).await;
    asking
        .write_all(
            b"POST /webhook HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n",
        )
        .await
        .unwrap();
    let (received, took) = to_the_end(asking).await;
    assert_eq!(
        Answer::parse(&received).expect("an answer").status,
        413,
        "and not 100 first"
    );
    assert!(took < Duration::from_secs(5));
}

#[tokio::test]
async fn garbage_is_answered_or_cut_and_the_server_lives() {
    let server = TestServer::start().await;
    let long = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n",
        "a".repeat(200_000)
    );
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(5_000));
    let heads: [&[u8]; 6] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        long.as_bytes(),
        many.as_bytes(),
    ];
    for head in heads {
        let mut stream = connect(&server).await;
        drop(stream.write_all(head).await);
        drop(stream.shutdown().await);
        let (received, _) = to_the_end(stream).await;
        let status = Answer::parse(&received).map(|answer| answer.status);
        assert!(
            status.is_none_or(|status| (400..500).contains(&status)),
            "{status:?}"
        );
    }
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn one_peer_does_not_take_all_connections() {
    let server = TestServer::start().await;
    let mut held = Vec::new();
    for _ in 0..256 {
        held.push(connect(&server).await);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(
        Ask::get("/healthz").try_send(server.address).await.is_none(),
        "the 257th is turned away"
    );
    held.truncate(100);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_kept_connection_serves_request_after_request_without_delay() {
    let server = TestServer::start().await;
    let mut stream = connect(&server).await;
    let begun = Instant::now();
    for _ in 0..50 {
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(buffer[..count].starts_with(b"HTTP/1.1 200"));
    }
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}: answers wait for acknowledgements",
        begun.elapsed()
    );
}

#[tokio::test]
async fn every_answer_carries_what_keeps_it_safe() {
    let server = TestServer::start().await;
    let asks = [
        Ask::get("/login"),
        Ask::get("/nowhere"),
        Ask::get("/api/v1/customers"),
        Ask::get("/api/v1/openapi.json"),
        Ask::get("/healthz"),
        Ask::post("/webhook"),
        Ask::post("/login"),
    ];
    for ask in asks {
        let answer = ask.clone().send(server.address).await;
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(
            policy.contains("script-src 'self';") && !policy.contains("unsafe"),
            "{ask:?}"
        );
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{ask:?}"
        );
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "{ask:?}");
        assert!(
            answer
                .header("cache-control")
                .is_some_and(|value| value.contains("no-")),
            "{ask:?}"
        );
        assert_eq!(
            answer.all("set-cookie").len(),
            usize::from(ask_is_login(&answer)),
            "{ask:?}"
        );
    }
}

/// Only the sign-in page remembers the browser; no other answer to a stranger sets a cookie.
fn ask_is_login(answer: &Answer) -> bool {
    answer.text().contains("name=\"password\"") || answer.text().contains("<html")
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn without_free_files_it_waits_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = tokio::process::Command::new("/bin/sh");
    command
        .arg("-c")
        .arg(format!("ulimit -n 64; exec {}", crate::harness::server::PROGRAM));
    let settings = [("CRM_LISTEN".to_owned(), "127.0.0.1:0".to_owned())];
    let (child, log) = crate::harness::server::spawn(command, &settings, folder.path().to_owned());
    let address = crate::harness::server::listening(&log, "listening on http://").await;
    let mut held = Vec::new();
    for _ in 0..100 {
        held.push(TcpStream::connect(address).await.unwrap());
    }
    let before = cpu_ticks(child.id().unwrap());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let spent = cpu_ticks(child.id().unwrap()) - before;
    assert!(
        spent < 60,
        "{spent} hundredths of a second of work while nothing can be accepted"
    );
    drop(held);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(Ask::get("/healthz").send(address).await.status, 200);
    let told = log
        .lock()
        .unwrap()
        .matches("connections cannot be accepted")
        .count();
    assert!((1..=5).contains(&told), "told {told} times");
}

/// Processor time that a process has spent, in ticks of ten milliseconds.
#[cfg(target_os = "linux")]
fn cpu_ticks(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[tokio::test]
async fn a_greedy_program_is_told_to_wait_and_others_are_not() {
    let server = TestServer::start_with(Setup::default().with("CRM_API_RATE_LIMIT", "20")).await;
    let (greedy, modest) = (server.token(Role::Member).await, server.token(Role::Admin).await);
    let ask = async |token: &str, path: &str| {
        let ask = Ask::get(path).header("authorization", format!("Bearer {token}"));
        ask.send(server.address).await
    };
    for _ in 0..20 {
        assert_eq!(ask(&greedy, "/api/v1/customers").await.status, 200);
    }
    let refused = ask(&greedy, "/api/v1/customers").await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    assert_eq!(refused.json()["code"], "too_many_requests");
    let wait: u32 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    for path in ["/customers", "/events", "/check-customer/x", "/api/v1/nothing"] {
        assert!(matches!(ask(&greedy, path).await.status, 404 | 429), "{path}");
    }
    assert_eq!(ask(&greedy, "/customers").await.status, 429, "everywhere");
    assert_eq!(ask(&modest, "/api/v1/customers").await.status, 200);
    let mut person = server.browser();
    person
        .sign_in("program-member@example.jp", crate::harness::server::PASSWORD)
        .await;
    for _ in 0..25 {
        assert_eq!(
            person.get("/customers").await.status,
            200,
            "people are not counted"
        );
    }
}

#[tokio::test]
async fn a_limit_of_nothing_is_none() {
    let server = TestServer::start_with(Setup::default().with("CRM_API_RATE_LIMIT", "0")).await;
    let token = server.token(Role::Member).await;
    for _ in 0..100 {
        let ask = Ask::get("/api/v1/customers").header("authorization", format!("Bearer {token}"));
        assert_eq!(ask.send(server.address).await.status, 200);
    }
}

#[tokio::test]
async fn slow_and_silent_connections_do_not_hold_up_the_others() {
    let server = TestServer::start_with(Setup::default().with("CRM_CONNECTIONS_PER_ADDRESS", "400")).await;
    let mut held = Vec::new();
    for number in 0..300 {
        let mut stream = connect(&server).await;
        let begun: &[u8] = match number % 3 {
            0 => b"",
            1 => b"GET /login HTTP/1.1\r\nHost: x\r\nX-Slow: ",
            _ => b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\na",
        };
        stream.write_all(begun).await.unwrap();
        held.push(stream);
    }
    for _ in 0..20 {
        let answer = tokio::time::timeout(Duration::from_secs(5), server.get("/login")).await;
        assert_eq!(answer.expect("an answer in time").status, 200);
    }
}

#[tokio::test]
async fn sign_ins_by_the_dozen_do_not_stop_the_pages() {
    let server = TestServer::start().await;
    let mut person = server.signed_in(Role::Member).await;
    let mut stranger = server.browser();
    stranger.get("/login").await;
    let attempts: Vec<_> = (0..60)
        .map(|number| {
            let mut stranger = stranger.clone();
            let email = format!("nobody-{number}@example.jp");
            tokio::spawn(async move {
                let typed = [("email", email.as_str()), ("password", "wrong")];
                stranger.post("/login", &typed).await
            })
        })
        .collect();
    for _ in 0..10 {
        let page = tokio::time::timeout(Duration::from_secs(10), person.get("/customers")).await;
        assert_eq!(page.expect("a page in time").status, 200);
    }
    let mut waited = 0;
    for attempt in attempts {
        let answer = attempt.await.unwrap();
        assert!(matches!(answer.status, 422 | 429), "{}", answer.status);
        if answer.status == 429 {
            assert!(answer.header("retry-after").is_some());
            waited += 1;
        }
    }
    assert!(waited < 60, "some are looked at");
}
