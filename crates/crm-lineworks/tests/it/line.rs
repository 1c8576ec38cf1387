//! A service of raw bytes, for what a real HTTP server would not do.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happens on a connection once a request's head and body have been read.
pub(crate) type Act = fn(&mut TcpStream);

/// Answers one connection after the other as told, and keeps what was asked.
pub(crate) struct Line {
    pub(crate) address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Line {
    /// The token request is answered rightly; each connection after it by the next act, the last one again and again.
    pub(crate) fn after_token(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        std::thread::spawn(move || {
            let mut acts = acts.into_iter().peekable();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read_request(&mut stream);
                let is_token = request.starts_with("POST /token");
                kept.lock().unwrap().push(request);
                if is_token {
                    answer(
                        &mut stream,
                        "200 OK",
                        r#"{"access_token":"abc","expires_in":"3600"}"#,
                    );
                } else if let Some(act) = acts.next() {
                    act(&mut stream);
                }
            }
        });
        Self { address, requests }
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

pub(crate) fn answer(stream: &mut TcpStream, status: &str, body: &str) {
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    write(stream, &text);
}

pub(crate) fn write(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).unwrap();
}

fn read_request(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let count = stream.read(&mut buffer).unwrap_or_default();
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let whole = text
            .split_once("\r\n\r\n")
            .is_some_and(|(head, body)| body.len() >= body_length(head));
        if count == 0 || whole {
            return text;
        }
    }
}

fn body_length(head: &str) -> usize {
    let lower = head.to_ascii_lowercase();
    let length = lower
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    length.unwrap_or_default()
}
