//! What the program counts and measures of itself, and `GET /metrics`, where Prometheus reads it.
//!
//! Nothing of a person is in it: labels are names of ours, and routes are patterns, never paths.

mod family;
mod gauges;
mod names;
mod page;
mod process;
mod registry;
mod requests;
mod store;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use crm_domain::ports::messenger::SendProblem;
use crm_domain::ports::store::Store;
use crm_domain::sends::SendState;
use crm_domain::use_cases::{Delivered, Load, RecordedCallback};
use poem::http::Method;
use tokio::sync::Mutex;
use tokio::time::Instant;

pub use page::{METRICS, mount};

use crate::server::Open;
use family::Family;
use gauges::Gauges;
use registry::Registry;
use requests::Requests;
use store::{Timed, Times};

/// What a callback met at the door. Each is told from the start, so that the first of a kind is seen as a rise.
const DOOR: [&str; 10] = [
    "kept",
    "spooled",
    "duplicate",
    "not_configured",
    "other_bot",
    "unsigned",
    "wrong_signature",
    "other_address",
    "unreadable",
    "lost",
];
/// What becomes of a message that met a problem. Each is told with each problem from the start too.
const NOT_SENT: [&str; 3] = ["failed", "unknown", "queued"];

/// The counts and times of one program; it holds them itself, so that several in one process do not mix.
pub struct Metrics {
    registry: Arc<Registry>,
    requests: Requests,
    callbacks: Family<1>,
    recorded: Family<2>,
    sends: Family<2>,
    store: Arc<Times>,
    gauges: Gauges,
    open: Open,
    begun: Instant,
    seen: Mutex<Option<(Instant, Option<Load>)>>,
    failing: AtomicBool,
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new() -> Result<Self, MetricsError> {
        let registry = Arc::new(Registry::new()?);
        let metrics = Self {
            requests: Requests::new(Arc::clone(&registry)),
            callbacks: Family::new(&registry, names::CALLBACKS, ["outcome"]),
            recorded: Family::new(&registry, names::RECORDED, ["kind", "state"]),
            sends: Family::new(&registry, names::SENDS, ["outcome", "problem"]),
            store: Arc::new(Times::new(&registry)),
            gauges: Gauges::new(&registry),
            open: Open::default(),
            begun: Instant::now(),
            failing: AtomicBool::new(false),
            seen: Mutex::default(),
            registry,
        };
        metrics.recorded.begin(["text", "recorded"]);
        for outcome in DOOR {
            metrics.callbacks.begin([outcome]);
        }
        metrics.sends.begin(["sent", ""]);
        for outcome in NOT_SENT {
            for problem in SendProblem::ALL {
                metrics.sends.begin([outcome, problem.code()]);
            }
        }
        Ok(metrics)
    }

    /// A request was answered by the route that was mounted under this pattern, if by any.
    pub fn answered(&self, pattern: Option<&str>, method: &Method, status: u16, took: Duration) {
        self.requests.answered(pattern, method, status, took);
    }

    /// A callback came to the door: what became of it, a word of ours.
    pub fn callback(&self, outcome: &'static str) {
        self.callbacks.count([outcome]);
    }

    /// A callback was understood, or not.
    pub fn recorded(&self, callback: &RecordedCallback) {
        self.recorded.count([callback.kind, callback.state.code()]);
    }

    /// A message left, or did not.
    pub fn delivered(&self, delivered: &Delivered) {
        let problem = delivered.problem.map_or("", |problem| problem.code());
        self.sends.count([delivered.state.code(), problem]);
        let all = delivered.problem.map(concerns_all);
        if let Some(failing) = all.or((delivered.state == SendState::Sent).then_some(false)) {
            self.failing.store(failing, Relaxed);
        }
    }

    /// Whether the last message met what every message would meet.
    pub fn sending_fails(&self) -> bool {
        self.failing.load(Relaxed)
    }

    /// The connections that are open.
    pub fn open(&self) -> Open {
        self.open.clone()
    }

    /// The same store, with its times taken.
    pub fn timed(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(Timed::new(store, Arc::clone(&self.store)))
    }

    /// Puts what was measured into its buckets: to be called every few seconds, whether anybody reads or not.
    pub fn tidy(&self) {
        self.registry.tidy();
    }
}

/// Whether a problem is not that of one message or one person.
fn concerns_all(problem: SendProblem) -> bool {
    matches!(
        problem,
        SendProblem::NoConnection
            | SendProblem::CredentialsRefused
            | SendProblem::ScopeRefused
            | SendProblem::TokenUnavailable
            | SendProblem::Unauthorized
            | SendProblem::Redirected
            | SendProblem::ServerError
            | SendProblem::TimedOut
    )
}

/// The metrics could not be set up; a mistake of ours.
#[derive(Debug, thiserror::Error)]
#[error("the metrics cannot be set up: {0}")]
pub struct MetricsError(#[from] metrics_exporter_prometheus::BuildError);
