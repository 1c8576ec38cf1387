//! Just enough of an HTTP client to load a server without costing more than it.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// One kept-alive connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer without the headers that nobody asked for.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    /// Connects to a server of this machine; other targets are refused.
    pub(crate) async fn open(server: SocketAddr) -> anyhow::Result<Self> {
        Self::open_from(Ipv4Addr::LOCALHOST, server).await
    }

    /// The same from a certain address of this machine.
    pub(crate) async fn open_from(from: Ipv4Addr, server: SocketAddr) -> anyhow::Result<Self> {
        let stream = connect(from, server).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(16 * 1024),
        })
    }

    /// Sends a whole request and reads the whole answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        self.stream.write_all(request).await?;
        let (head_end, length) = self.read_head().await?;
        let head = String::from_utf8_lossy(&self.buffer[..head_end]).into_owned();
        let status = head
            .get(9..12)
            .and_then(|code| code.parse().ok())
            .context("no status line")?;
        let body = match length {
            Length::Bytes(length) => self.read_to(head_end + length).await?.split_off(head_end),
            Length::Chunked => self.read_chunks(head_end).await?,
            Length::UntilClose => {
                self.stream.read_to_end(&mut self.buffer).await?;
                std::mem::take(&mut self.buffer).split_off(head_end)
            }
        };
        Ok(Answer { status, head, body })
    }

    async fn read_head(&mut self) -> anyhow::Result<(usize, Length)> {
        self.buffer.clear();
        loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.buffer[..at]).to_ascii_lowercase();
                return Ok((at + 4, Length::of(&head)));
            }
            self.read_more().await?;
        }
    }

    async fn read_more(&mut self) -> anyhow::Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the server closed the line in the middle of an answer");
        }
        Ok(())
    }

    async fn read_to(&mut self, end: usize) -> anyhow::Result<Vec<u8>> {
        while self.buffer.len() < end {
            self.read_more().await?;
        }
        Ok(std::mem::take(&mut self.buffer))
    }

    async fn read_chunks(&mut self, head_end: usize) -> anyhow::Result<Vec<u8>> {
        while !self.buffer[head_end..].ends_with(b"0\r\n\r\n") {
            self.read_more().await?;
        }
        Ok(std::mem::take(&mut self.buffer).split_off(head_end))
    }
}

/// A connection from an address of this machine to a server of this machine.
pub(crate) async fn connect(from: Ipv4Addr, server: SocketAddr) -> anyhow::Result<TcpStream> {
    ensure!(server.ip().is_loopback(), "{server} is not on this machine");
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    let connected = socket.connect(server).await;
    connected.with_context(|| format!("{server} does not answer"))
}

enum Length {
    Bytes(usize),
    Chunked,
    UntilClose,
}

impl Length {
    fn of(head: &str) -> Self {
        let header = |name: &str| {
            head.lines()
                .find_map(|line| line.strip_prefix(name))
                .map(str::trim)
        };
        if header("transfer-encoding:").is_some_and(|value| value == "chunked") {
            return Self::Chunked;
        }
        header("content-length:")
            .and_then(|value| value.parse().ok())
            .map_or(Self::UntilClose, Self::Bytes)
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
