//! A reader of the stream of events.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::browser::Browser;
use super::http::Ask;

const PATIENCE: Duration = Duration::from_secs(10);

/// One event as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub name: String,
    pub id: String,
    pub data: String,
}

/// An open stream.
pub struct Listener {
    stream: TcpStream,
    text: String,
    pub head: String,
    id: String,
}

impl Listener {
    pub async fn open(to: SocketAddr, browser: &Browser, path: &str, last: Option<&str>) -> Listener {
        let session = browser.cookie("crm_session").unwrap_or_default();
        let mut ask = Ask::get(path)
            .header("accept", "text/event-stream")
            .header("cookie", format!("crm_session={session}"));
        if let Some(last) = last {
            ask = ask.header("last-event-id", last);
        }
        let mut stream = TcpStream::connect(to).await.unwrap();
        stream.write_all(&ask.bytes_for(to)).await.unwrap();
        let mut listener = Listener {
            stream,
            text: String::new(),
            head: String::new(),
            id: String::new(),
        };
        while !listener.text.contains("\r\n\r\n") {
            assert!(listener.read().await, "no head");
        }
        let (head, rest) = listener.text.split_once("\r\n\r\n").unwrap();
        (listener.head, listener.text) = (head.to_owned(), rest.to_owned());
        listener
    }

    /// Reads on; false at the end.
    async fn read(&mut self) -> bool {
        let mut buffer = [0; 4_096];
        let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut buffer)).await;
        let count = read
            .unwrap_or_else(|_| panic!("silent; last {}", self.id))
            .unwrap_or(0);
        self.text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        count > 0
    }

    /// The next event that is more than a sign of life; `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<Heard> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    let lines = block.lines().rev();
                    let mut values = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                    values.next().map(str::to_owned)
                };
                if let Some(id) = field("id") {
                    self.id = id;
                }
                if let (Some(name), Some(data)) = (field("event"), field("data"))
                    && name != "beat"
                {
                    let id = self.id.clone();
                    return Some(Heard { name, id, data });
                }
            }
            if !self.read().await {
                return None;
            }
        }
    }

    pub async fn until_opened(&mut self) {
        while !self.text.contains("id: ") {
            assert!(self.read().await, "it ended");
        }
    }

    pub async fn take(&mut self, count: usize) -> Vec<Heard> {
        let mut heard = Vec::new();
        while heard.len() < count {
            heard.push(self.next().await.expect("the stream goes on"));
        }
        heard
    }
}
