//! The accept loop with little patience: idle and stuck connections, and the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use crm_web::server::{self, Answer, Limits, Networks, Stop};
use poem::{Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::harness::{Ask, until};

/// Answers `/slow` after a second, `/huge` with much, and everything else at once.
struct Site;

#[async_trait]
impl Answer for Site {
    async fn answer(&self, request: Request) -> Response {
        match request.uri().path() {
            "/slow" => {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Response::from("slow")
            }
            "/huge" => Response::from(vec![b'a'; 64 * 1024 * 1024]),
            _ => Response::from("ok"),
        }
    }
}

fn running(limits: Limits) -> (SocketAddr, Stop, JoinHandle<()>) {
    let listener = server::bind(SocketAddr::from(([127, 0, 0, 1], 0)), "TEST").unwrap();
    let address = listener.local_addr().unwrap();
    let stop = Stop::default();
    let task = tokio::spawn(server::serve(
        Arc::new(listener),
        Arc::new(Site),
        None,
        limits,
        Networks::default(),
        stop.clone(),
    ));
    (address, stop, task)
}

fn impatient() -> Limits {
    let little = Duration::from_millis(300);
    Limits {
        head: little,
        idle: little,
        write: little,
        ..Limits::default()
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_working_one_is_not() {
    let (address, _stop, _task) = running(impatient());
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut received = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(4), idle.read_to_end(&mut received)).await;
    assert!(
        ended.is_ok() && received.starts_with(b"HTTP/1.1 200"),
        "answered, then closed"
    );
    assert_eq!(
        Ask::get("/slow").send(address).await.text(),
        "slow",
        "work is not waiting"
    );
}

#[tokio::test]
async fn who_takes_no_answer_is_cut() {
    let (address, _stop, _task) = running(impatient());
    let mut stuck = TcpStream::connect(address).await.unwrap();
    stuck
        .write_all(b"GET /huge HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut received = Vec::new();
    drop(
        tokio::time::timeout(Duration::from_secs(5), stuck.read_to_end(&mut received))
            .await
            .expect("an end"),
    );
    assert!(received.len() < 64 * 1024 * 1024, "cut before the end");
}

#[tokio::test]
async fn when_all_places_are_taken_others_wait_for_one() {
    let (address, _stop, _task) = running(Limits {
        connections: 2,
        ..Limits::default()
    });
    let held = [
        TcpStream::connect(address).await.unwrap(),
        TcpStream::connect(address).await.unwrap(),
    ];
    let waiting = tokio::spawn(Ask::get("/").send(address));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished());
    drop(held);
    assert_eq!(waiting.await.unwrap().status, 200);
}

#[tokio::test]
async fn when_few_places_are_free_who_says_nothing_makes_room() {
    let (address, _stop, _task) = running(Limits {
        connections: 4,
        ..Limits::default()
    });
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(TcpStream::connect(address).await.unwrap());
    }
    let answer = tokio::time::timeout(Duration::from_secs(7), Ask::get("/").send(address)).await;
    assert_eq!(answer.expect("in less than a head's ten seconds").status, 200);
}

#[tokio::test]
async fn the_end_waits_for_answers_and_takes_nobody_new() {
    let (address, stop, task) = running(Limits::default());
    let _idle = TcpStream::connect(address).await.unwrap();
    let slow = tokio::spawn(Ask::get("/slow").send(address));
    tokio::time::sleep(Duration::from_millis(200)).await;
    let begun = Instant::now();
    stop.now();
    until("nobody new is taken", async || {
        TcpStream::connect(address).await.err().map(drop)
    })
    .await;
    assert_eq!(slow.await.unwrap().text(), "slow");
    task.await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}
