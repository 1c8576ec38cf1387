//! Traces over OTLP: what a collector gets.

use std::sync::{Arc, Mutex};

use crm_domain::members::Role;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{Ask, Setup, TestServer, until};

/// A collector that keeps what it gets.
struct Collector {
    url: String,
    got: Arc<Mutex<Vec<u8>>>,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let got = Arc::<Mutex<Vec<u8>>>::default();
        let kept = Arc::clone(&got);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, Arc::clone(&kept)));
            }
        });
        Self { url, got }
    }

    fn has(&self, part: &[u8]) -> bool {
        let got = self.got.lock().unwrap();
        got.windows(part.len()).any(|window| window == part)
    }

    async fn wait_for(&self, part: &str) {
        until(part, async || self.has(part.as_bytes()).then_some(())).await;
    }
}

/// Takes requests and answers each with 200.
async fn take(mut stream: TcpStream, kept: Arc<Mutex<Vec<u8>>>) {
    let (mut all, mut piece) = (Vec::new(), vec![0; 65_536]);
    while let Ok(count @ 1..) = stream.read(&mut piece).await {
        all.extend_from_slice(&piece[..count]);
        let Some(end) = all.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&all[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
        if all.len() >= end + 4 + length {
            kept.lock().unwrap().extend(all.drain(..end + 4 + length));
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_request_arrives_as_a_span_with_nothing_of_a_person() {
    let collector = Collector::start().await;
    let setup = Setup::default()
        .with("CRM_OTLP_URL", &collector.url)
        .with("CRM_TRUSTED_PROXIES", "127.0.0.1/32");
    let server = TestServer::start_with(setup).await;
    let mut browser = server.signed_in(Role::Member).await;
    let customer = server.add_customer("山田", "太郎", None).await;
    browser.get(&format!("/customer/{customer}?q=secret-word")).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let probe = Ask::get("/healthz")
        .header("x-request-id", "probe-77")
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    probe.send(server.address).await;
    for part in [
        "POST /v1/traces",
        "GET /customer/:id",
        "http.route",
        "http.response.status_code",
        "probe-77",
        "database",
        "crm-web",
    ] {
        collector.wait_for(part).await;
    }
    // An attribute's number as OTLP writes it.
    assert!(collector.has(b"http.response.status_code\x12\x03\x18\xc8\x01"));
    let id: Vec<u8> = (0..16)
        .map(|byte| u8::from_str_radix(&trace[byte * 2..byte * 2 + 2], 16).unwrap())
        .collect();
    assert!(collector.has(&id), "the caller's trace is not followed");
    for told in ["secret-word", "example.jp", "山田", "127.0.0.1/"] {
        assert!(!collector.has(told.as_bytes()), "{told}");
    }
}

#[tokio::test]
async fn a_collector_that_is_away_holds_up_nothing() {
    let away = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", away.local_addr().unwrap());
    drop(away);
    let mut server = TestServer::start_with(Setup::default().with("CRM_OTLP_URL", &url)).await;
    for _ in 0..20 {
        assert_eq!(server.get("/healthz").await.status, 200);
    }
    server.wait_for_log("traces are lost").await;
    assert!(server.stop().await < std::time::Duration::from_secs(8));
}
