//! Many open pages: what their streams cost, and how soon a message is on all of them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::callbacks::Callbacks;
use crate::http::Connection;
use crate::place::{Place, Subject};
use crate::report::Report;
use crate::server::BOT_SECRET;

/// How long a stream may be silent where something is expected.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many pages, how often.
#[derive(Args, Debug)]
pub(crate) struct LiveOptions {
    /// Open pages.
    #[arg(long, default_value_t = 200)]
    streams: usize,
    /// Messages that are waited for on all of them.
    #[arg(long, default_value_t = 20)]
    rounds: usize,
    #[command(flatten)]
    subject: Subject,
}

/// Measures and prints the table.
pub(crate) async fn run(options: &LiveOptions) -> anyhow::Result<()> {
    let place = Place::prepare(&options.subject).await?;
    let server = place.start().await?;
    let mut report = Report::default();
    crate::pages::time(server.address, &place.cookie, "/customers", 50).await?;
    let before = server.resident_kib()?;
    let mut streams = Vec::new();
    for _ in 0..options.streams {
        streams.push(Stream::open(server.address, &place.cookie).await?);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let opened = server.resident_kib()?;
    report.add(
        &format!("{} open pages", options.streams),
        format!("{} KiB more resident", opened.saturating_sub(before)),
    );
    let callbacks = Callbacks::new(BOT_SECRET, options.subject.size.customers);
    let mut line = Connection::open(server.address).await?;
    let mut took = Vec::new();
    let mut request = String::new();
    for _ in 0..options.rounds {
        callbacks.request(&mut request);
        let began = Instant::now();
        let answer = line.exchange(request.as_bytes()).await?;
        ensure!(
            answer.status == 200,
            "the callback was answered {}",
            answer.status
        );
        streams = all_hear(streams).await?;
        took.push(began.elapsed());
    }
    took.sort_unstable();
    let median = took.get(took.len() / 2).copied().unwrap_or_default();
    let longest = took.last().copied().unwrap_or_default();
    report.add(
        "from the callback to the last of all pages",
        format!("p50 {median:.1?}, longest {longest:.1?}"),
    );
    report.add(
        "resident afterwards",
        format!("{} KiB more", server.resident_kib()?.saturating_sub(before)),
    );
    report.print();
    Ok(())
}

async fn all_hear(streams: Vec<Stream>) -> anyhow::Result<Vec<Stream>> {
    let mut waiting = JoinSet::new();
    for stream in streams {
        waiting.spawn(stream.until("event: message"));
    }
    let mut heard = Vec::new();
    while let Some(stream) = waiting.join_next().await {
        heard.push(stream??);
    }
    Ok(heard)
}

/// One open page's stream.
struct Stream {
    line: TcpStream,
    text: String,
}

impl Stream {
    async fn open(server: SocketAddr, cookie: &str) -> anyhow::Result<Self> {
        ensure!(server.ip().is_loopback(), "{server} is not on this machine");
        let mut line = TcpStream::connect(server).await?;
        let request = format!(
            "GET /events HTTP/1.1\r\nHost: {server}\r\nAccept: text/event-stream\r\nCookie: {cookie}\r\n\r\n"
        );
        line.write_all(request.as_bytes()).await?;
        let stream = Self {
            line,
            text: String::new(),
        };
        let opened = stream.until("id: ").await?;
        ensure!(!opened.text.contains("signed-out"), "the session is not taken");
        Ok(opened)
    }

    /// Reads until these words came, and forgets what came before.
    async fn until(mut self, words: &str) -> anyhow::Result<Self> {
        loop {
            if let Some(at) = self.text.find(words) {
                self.text.drain(..at + words.len());
                return Ok(self);
            }
            let mut buffer = [0; 2_048];
            let reading = tokio::time::timeout(PATIENCE, self.line.read(&mut buffer));
            let count = reading.await.context("a stream is silent")??;
            ensure!(count > 0, "a stream ended");
            self.text
                .push_str(&String::from_utf8_lossy(buffer.get(..count).unwrap_or_default()));
        }
    }
}
