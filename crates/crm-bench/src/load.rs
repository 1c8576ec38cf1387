//! Callbacks from many connections at once, for a bounded time.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Load;
use crate::callbacks::Callbacks;
use crate::http::Connection;

/// What a load run saw.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    /// Answers with status 200.
    pub(crate) answered: usize,
    /// Other answers and broken lines.
    pub(crate) failed: usize,
    /// How long it took.
    pub(crate) elapsed: Duration,
    /// Every latency, sorted.
    latencies: Vec<Duration>,
}

impl Outcome {
    /// Answers with status 200 in a second.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub(crate) fn per_second(&self) -> f64 {
        self.answered as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }

    /// The latency that `percent` of the answers did not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let at = (self.latencies.len() * percent / 100).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(at).copied().unwrap_or_default()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.0} answered with 200 a second, {} failed, p50 {:.1?}, p99 {:.1?}",
            self.per_second(),
            self.failed,
            self.percentile(50),
            self.percentile(99)
        )
    }
}

/// Loads `server` with callbacks from `load.connections` lines for `load.seconds`.
pub(crate) async fn run(server: SocketAddr, load: Load, callbacks: Callbacks) -> anyhow::Result<Outcome> {
    let callbacks = Arc::new(callbacks);
    let began = Instant::now();
    let end = began + Duration::from_secs(load.seconds);
    let lines: Vec<_> = (0..load.connections)
        .map(|_| tokio::spawn(one_line(server, Arc::clone(&callbacks), end)))
        .collect();
    let mut total = Outcome::default();
    for line in lines {
        let line = line.await??;
        total.answered += line.answered;
        total.failed += line.failed;
        total.latencies.extend(line.latencies);
    }
    total.elapsed = began.elapsed();
    total.latencies.sort_unstable();
    Ok(total)
}

async fn one_line(server: SocketAddr, callbacks: Arc<Callbacks>, end: Instant) -> anyhow::Result<Outcome> {
    let mut connection = Connection::open(server).await?;
    let mut outcome = Outcome::default();
    let mut request = String::new();
    while Instant::now() < end {
        callbacks.request(&mut request);
        let began = Instant::now();
        match connection.exchange(request.as_bytes()).await {
            Ok(answer) if answer.status == 200 => {
                outcome.answered += 1;
                outcome.latencies.push(began.elapsed());
                if answer.head.to_ascii_lowercase().contains("connection: close") {
                    connection = Connection::open(server).await?;
                }
            }
            _ => {
                outcome.failed += 1;
                connection = Connection::open(server).await?;
            }
        }
    }
    Ok(outcome)
}
