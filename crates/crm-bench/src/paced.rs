//! Requests at a steady pace that do not wait for the answers before (an open loop): what comes late counts from the moment
//! at which it should have been asked.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use crate::http::Connection;

/// What one kind of request saw.
#[derive(Default)]
pub(crate) struct Times {
    /// How long the good answers took.
    pub(crate) took: Vec<Duration>,
    /// Other answers and broken lines.
    pub(crate) failed: usize,
}

impl Times {
    /// Adds what another line saw.
    pub(crate) fn add(&mut self, other: Times) {
        self.took.extend(other.took);
        self.failed += other.failed;
    }

    /// The time that so many of a thousand did not exceed.
    pub(crate) fn within(&self, part: usize) -> Duration {
        let mut sorted = self.took.clone();
        sorted.sort_unstable();
        let at = (sorted.len() * part / 1_000).min(sorted.len().saturating_sub(1));
        sorted.get(at).copied().unwrap_or_default()
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (median, most, longest) = (self.within(500), self.within(990), self.within(1_000));
        write!(f, "p50 {median:.1?}, p99 {most:.1?}, longest {longest:.1?}")
    }
}

/// When requests are due, and from which address of this machine they come.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    /// The first one.
    pub(crate) next: Instant,
    /// Between two.
    pub(crate) gap: Duration,
    /// No more from then on.
    pub(crate) end: Instant,
    /// The address from which they come.
    pub(crate) from: Ipv4Addr,
}

/// Asks at this pace on one line; answers with a status that is `good` count.
pub(crate) async fn keep_asking(
    server: SocketAddr,
    mut pace: Pace,
    good: fn(u16) -> bool,
    mut request: impl FnMut(&mut String),
) -> anyhow::Result<Times> {
    let (mut times, mut text) = (Times::default(), String::new());
    let mut connection = Connection::open_from(pace.from, server).await?;
    while pace.next < pace.end {
        // The timer is only exact to a millisecond: that is not the server's time. Being late is.
        let begun = if Instant::now() < pace.next {
            tokio::time::sleep_until(pace.next.into()).await;
            Instant::now()
        } else {
            pace.next
        };
        pace.next += pace.gap;
        request(&mut text);
        let answer = connection.exchange(text.as_bytes()).await;
        if answer.as_ref().is_ok_and(|answer| good(answer.status)) {
            times.took.push(begun.elapsed());
        } else {
            times.failed += 1;
        }
        if !answer.is_ok_and(|answer| !answer.head.to_ascii_lowercase().contains("connection: close")) {
            connection = Connection::open_from(pace.from, server).await?;
        }
    }
    Ok(times)
}
