//! How long pages take, one after the other on one line.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::http::Connection;

/// The times of one page.
pub(crate) struct Timing {
    /// Half of the requests took no longer.
    pub(crate) median: Duration,
    /// 99 of 100 took no longer.
    pub(crate) p99: Duration,
    /// Bytes of the page.
    pub(crate) bytes: usize,
}

/// Asks for `path` `times` times with this session cookie.
pub(crate) async fn time(
    server: SocketAddr,
    cookie: &str,
    path: &str,
    times: usize,
) -> anyhow::Result<Timing> {
    let mut connection = Connection::open(server).await?;
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nCookie: {cookie}\r\nAccept: text/html\r\n\r\n");
    let mut took = Vec::with_capacity(times);
    let mut bytes = 0;
    for _ in 0..times {
        let began = Instant::now();
        let answer = connection.exchange(request.as_bytes()).await?;
        took.push(began.elapsed());
        ensure!(answer.status == 200, "{path} answers {}", answer.status);
        bytes = answer.body.len();
        if answer.head.to_ascii_lowercase().contains("connection: close") {
            connection = Connection::open(server).await?;
        }
    }
    took.sort_unstable();
    let at = |percent: usize| {
        took.get((took.len() * percent / 100).min(took.len().saturating_sub(1)))
            .copied()
    };
    Ok(Timing {
        median: at(50).unwrap_or_default(),
        p99: at(99).unwrap_or_default(),
        bytes,
    })
}
