//! An open page's live stream, as a browser keeps it: opened again when it ends, from where it ended.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::load::Load;

/// So long a read waits before it looks whether all is over.
const BREATH: Duration = Duration::from_millis(200);
/// A browser whose stream ended opens it again after this time, and our page after a silence of this length.
const AGAIN: Duration = Duration::from_millis(250);
/// A balancer gives a server up that says nothing within less.
const PROMPT: Duration = Duration::from_secs(15);
const DEAD: Duration = Duration::from_secs(40);

/// One stream.
#[derive(Debug)]
pub struct Stream {
    line: TcpStream,
    text: String,
    /// The place of the last event.
    pub last: String,
}

impl Stream {
    /// Opens it at a server of this machine, after the event of this place if there is one.
    pub async fn open(server: SocketAddr, cookie: &str, last: &str) -> anyhow::Result<Self> {
        ensure!(server.ip().is_loopback(), "{server} is not on this machine");
        let mut line = TcpStream::connect(server).await?;
        let from = if last.is_empty() {
            String::new()
        } else {
            format!("Last-Event-ID: {last}\r\n")
        };
        let request = format!(
            "GET /events HTTP/1.1\r\nHost: {server}\r\nAccept: text/event-stream\r\nCookie: {cookie}\r\n{from}\r\n"
        );
        line.write_all(request.as_bytes()).await?;
        let mut stream = Self {
            line,
            text: String::new(),
            last: last.to_owned(),
        };
        // A server that is starting or stopping says so at once; a browser asks again then.
        let head = tokio::time::timeout(PROMPT, stream.head()).await??;
        ensure!(head.starts_with("HTTP/1.1 200"), "no stream: {head}");
        Ok(stream)
    }

    /// The head of the answer; what came behind it waits to be heard.
    async fn head(&mut self) -> anyhow::Result<String> {
        let mut buffer = [0; 4_096];
        loop {
            if let Some(end) = self.text.find("\r\n\r\n") {
                let behind = self.text.split_off(end + 4);
                return Ok(std::mem::replace(&mut self.text, behind));
            }
            let count = self.line.read(&mut buffer).await?;
            ensure!(count > 0, "the stream ended");
            let bytes = buffer.get(..count).context("what was read")?;
            self.text.push_str(&String::from_utf8_lossy(bytes));
        }
    }

    /// The names of the events that come within `bound`; none if it passes. An error when the stream ended.
    pub async fn hear(&mut self, bound: Duration) -> anyhow::Result<Vec<String>> {
        let mut buffer = [0; 4_096];
        let Ok(read) = tokio::time::timeout(bound, self.line.read(&mut buffer)).await else {
            return Ok(Vec::new());
        };
        let count = read?;
        ensure!(count > 0, "the stream ended");
        let bytes = buffer.get(..count).context("what was read")?;
        self.text.push_str(&String::from_utf8_lossy(bytes));
        let mut names = Vec::new();
        while let Some(end) = self.text.find('\n') {
            let line: String = self.text.drain(..=end).collect();
            let line = line.trim_end();
            // The last chunk: the balancer keeps the line open for another request.
            ensure!(line != "0", "the stream ended");
            if let Some(place) = line.strip_prefix("id: ") {
                place.clone_into(&mut self.last);
            }
            if let Some(name) = line.strip_prefix("event: ") {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }
}

/// Keeps a stream open through the balancer until all is over.
pub(super) async fn listen(load: Arc<Load>) {
    let (mut last, mut heard) = (String::new(), Instant::now());
    while !load.is_over() {
        let opened = Stream::open(load.server, &load.cookie, &last).await;
        if let Ok(mut stream) = opened {
            let begun = Instant::now();
            while let Ok(names) = stream.hear(BREATH).await {
                let messages = names.iter().filter(|name| *name == "message").count();
                if messages > 0 {
                    let mut borne = load.watch.borne();
                    borne.live.done += messages as u64;
                    borne.live.longest = borne.live.longest.max(heard.elapsed());
                    heard = Instant::now();
                }
                if load.is_over() || heard.elapsed().min(begun.elapsed()) > DEAD {
                    break;
                }
            }
            last = stream.last;
        }
        if !load.is_over() {
            load.watch.borne().live.failed_first += 1;
            tokio::time::sleep(AGAIN).await;
        }
    }
}
