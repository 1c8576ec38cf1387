//! Fetching files: to whom the token goes, what is kept, and what every answer means.

use std::io::{self, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use crm_domain::attachments::LARGEST;
use crm_domain::ports::blobs::{Blob, BlobDraft, BlobError, BlobHash, Blobs};
use crm_domain::ports::files::{FetchError, FetchProblem as P, FetchedFile, FileSource as _};
use crm_lineworks::{LineWorks, Switchboard};
use crm_lineworks_sim::{Endpoint, Fault};

use crate::line::{Line, answer, write};
use crate::setup::{Setup, clock, config, setup};

/// Remembers the last content kept, and can be full.
#[derive(Default, Clone)]
struct Shelf {
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
    room: Option<u64>,
}

struct Draft(Shelf, Vec<u8>);

impl BlobDraft for Draft {
    fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.1.extend_from_slice(bytes);
        match self.0.room {
            Some(room) if self.1.len() as u64 > room => Err(BlobError::Full),
            _ => Ok(()),
        }
    }

    fn keep(self: Box<Self>) -> Result<Blob, BlobError> {
        let size = self.1.len() as u64;
        self.0.kept.lock().unwrap().push(self.1);
        Ok(Blob {
            hash: BlobHash([7; 32]),
            size,
        })
    }
}

#[async_trait]
impl Blobs for Shelf {
    fn begin(&self) -> Result<Box<dyn BlobDraft>, BlobError> {
        Ok(Box::new(Draft(self.clone(), Vec::new())))
    }

    fn open(&self, _: &BlobHash) -> Result<Option<Box<dyn io::Read + Send>>, BlobError> {
        Ok(None)
    }

    async fn remove(&self, _: &BlobHash) -> Result<bool, BlobError> {
        Ok(false)
    }
}

async fn fetch(client: &Arc<LineWorks>, file_id: &str, shelf: &Shelf) -> Result<FetchedFile, FetchError> {
    let files = Switchboard::new(Some(Arc::clone(client)));
    files.fetch("2000001", file_id, Arc::new(shelf.clone())).await
}

async fn problem(all: &Setup, file_id: &str) -> P {
    let shelf = Shelf::default();
    let failed = fetch(&all.client, file_id, &shelf).await.unwrap_err();
    assert!(shelf.kept.lock().unwrap().is_empty(), "nothing is kept");
    failed.problem
}

#[tokio::test]
async fn a_file_comes_with_its_bytes_and_its_name() {
    let all = setup().await;
    let bytes: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
    let id = all.sim.store_file("見積 1.pdf", bytes.clone()).unwrap();
    let shelf = Shelf::default();
    let file = fetch(&all.client, &id, &shelf).await.unwrap();
    assert_eq!(file.name.as_deref(), Some("見積 1.pdf"));
    assert_eq!(file.media_type.as_deref(), Some("application/octet-stream"));
    assert_eq!(file.blob.size, 300_000);
    assert!(shelf.kept.lock().unwrap()[0] == bytes);
    assert_eq!(
        all.sim.requests(Endpoint::Files),
        2,
        "first where it lies, then the bytes"
    );
}

#[tokio::test]
async fn an_expired_token_is_renewed_once() {
    let all = setup().await;
    let id = all.sim.store_file("a.txt", &b"abc"[..]).unwrap();
    fetch(&all.client, &id, &Shelf::default()).await.unwrap();
    all.sim.expire_tokens();
    fetch(&all.client, &id, &Shelf::default()).await.unwrap();
    all.sim.always_on(Endpoint::Files, Fault::status(401));
    assert_eq!(problem(&all, &id).await, P::Unauthorized);
}

#[tokio::test]
async fn every_answer_says_what_can_be_done() {
    let all = setup().await;
    let id = all.sim.store_file("a.txt", &b"abc"[..]).unwrap();
    assert_eq!(problem(&all, "jp1.unknown").await, P::Gone);
    assert_eq!(problem(&all, "..").await, P::Rejected);
    for (status, expected) in [
        (400, P::Rejected),
        (403, P::Unauthorized),
        (404, P::Gone),
        (410, P::Gone),
        (429, P::Unavailable),
        (500, P::Unavailable),
        (503, P::Unavailable),
    ] {
        for first_fine in [0, 1] {
            // The fault meets the question where it lies, and then the question for the bytes.
            all.sim.fail_next_on(
                Endpoint::Files,
                first_fine,
                Fault::Slow(std::time::Duration::ZERO),
            );
            all.sim.fail_next_on(Endpoint::Files, 1, Fault::status(status));
            assert_eq!(problem(&all, &id).await, expected, "{status} after {first_fine}");
        }
    }
    let slowly = Fault::status(429).with_header("rateLimit-reset", "33");
    all.sim.fail_next_on(Endpoint::Files, 1, slowly);
    let failed = fetch(&all.client, &id, &Shelf::default()).await.unwrap_err();
    assert_eq!(failed.wait, Some(33));
    for fault in [
        Fault::CutBeforeResponse,
        Fault::CutAfterDoing,
        Fault::CutAfterHeaders,
    ] {
        all.sim
            .fail_next_on(Endpoint::Files, 1, Fault::Slow(std::time::Duration::ZERO));
        all.sim.fail_next_on(Endpoint::Files, 1, fault.clone());
        assert_eq!(problem(&all, &id).await, P::NoConnection, "{fault:?}");
    }
    all.sim.fail_next_on(Endpoint::Token, 1, Fault::status(500));
    all.sim.expire_tokens();
    assert_eq!(problem(&all, &id).await, P::Unavailable);
    all.sim.pause().await;
    assert_eq!(problem(&all, &id).await, P::NoConnection);
}

#[tokio::test]
async fn a_full_store_and_a_missing_set_up_are_told() {
    let all = setup().await;
    let id = all.sim.store_file("a.txt", &b"abcdef"[..]).unwrap();
    let full = Shelf {
        room: Some(5),
        ..Shelf::default()
    };
    let failed = fetch(&all.client, &id, &full).await.unwrap_err();
    assert_eq!(failed.problem, P::QuotaReached);
    let nobody = Switchboard::new(None);
    assert!(!nobody.is_set_up());
    let failed = nobody
        .fetch("1", "2", Arc::new(Shelf::default()))
        .await
        .unwrap_err();
    assert_eq!(failed.problem, P::NotConfigured);
}

/// A client whose API is this line.
fn client_of(line: &Line) -> Arc<LineWorks> {
    let address = &line.address;
    let config = config(format!("{address}/token"), format!("{address}/v1.0"));
    Arc::new(LineWorks::new(config, clock()).unwrap())
}

async fn problem_on(line: &Line) -> P {
    let shelf = Shelf::default();
    let failed = fetch(&client_of(line), "jp1.1", &shelf).await.unwrap_err();
    assert!(shelf.kept.lock().unwrap().is_empty(), "nothing is kept");
    failed.problem
}

fn redirect(stream: &mut TcpStream, to: &str) {
    write(
        stream,
        &format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
    );
}

/// An answer that sends the client to this line's own place.
fn home(stream: &mut TcpStream) {
    let to = format!("http://{}/storage/x", stream.local_addr().unwrap());
    redirect(stream, &to);
}

/// Where the token must not go.
static ELSEWHERE: Mutex<String> = Mutex::new(String::new());

fn away(stream: &mut TcpStream) {
    let to = format!("{}/x", ELSEWHERE.lock().unwrap());
    redirect(stream, &to);
}

#[tokio::test]
async fn the_token_goes_nowhere_else() {
    let elsewhere = Line::after_token(vec![|stream| answer(stream, "200 OK", "stolen")]);
    ELSEWHERE.lock().unwrap().push_str(&elsewhere.address);
    let line = Line::after_token(vec![
        away,
        |stream| redirect(stream, "https://evilworksmobile.com/x"),
        |stream| redirect(stream, "/storage/x"),
        |stream| {
            write(
                stream,
                "HTTP/1.1 302 Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            );
        },
        home,
        away,
    ]);
    for _ in 0..5 {
        assert_eq!(problem_on(&line).await, P::ForeignHost);
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let line = Line::after_token(vec![home, home, home, home, home, home]);
    assert_eq!(problem_on(&line).await, P::Rejected);
    let asked = line.requests();
    assert_eq!(
        asked.iter().filter(|request| request.starts_with("GET")).count(),
        4
    );
    let bearers = asked.iter().filter(|request| request.contains("Bearer abc"));
    assert_eq!(bearers.count(), 4, "with the same token each time");
}

#[tokio::test]
async fn what_is_too_large_is_cut_off() {
    fn claims(stream: &mut TcpStream) {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", LARGEST + 1);
        write(stream, &head);
    }
    fn streams(stream: &mut TcpStream) {
        write(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
        let piece = vec![b'x'; 1024 * 1024];
        // The client hangs up when it has enough.
        while stream.write_all(&piece).is_ok() {}
    }
    let line = Line::after_token(vec![claims, streams]);
    assert_eq!(problem_on(&line).await, P::TooLarge);
    assert_eq!(problem_on(&line).await, P::TooLarge);
}

#[tokio::test]
async fn half_a_file_is_none() {
    fn half(stream: &mut TcpStream) {
        write(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\nabc",
        );
    }
    fn whole(stream: &mut TcpStream) {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-type: Image/JPEG; x=y\r\n";
        write(stream, head);
        write(
            stream,
            "content-disposition: attachment; filename=\"写真.jpg\"\r\nconnection: close\r\n\r\nabc",
        );
    }
    let line = Line::after_token(vec![half, whole]);
    assert_eq!(problem_on(&line).await, P::NoConnection);
    let file = fetch(&client_of(&line), "jp1.1", &Shelf::default())
        .await
        .unwrap();
    assert_eq!(
        (file.name.as_deref(), file.media_type.as_deref()),
        (Some("写真.jpg"), Some("image/jpeg"))
    );
}
