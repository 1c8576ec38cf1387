//! Work that no request waits for, or waits for a bounded time only: recording callbacks and sending messages.

mod recorder;
mod sender;
mod sending;
mod signals;

use crm_domain::permissions::Actor;
use tokio::task::JoinSet;

pub use sending::{Outcome, send};
pub use signals::Signals;

use crate::state::App;

/// As whom background work acts.
const JOB: Actor = Actor::Job("crm-web");

/// Starts the workers; they end some seconds after the stop at the latest. `run` names this start of the program: what
/// earlier ones had on its way becomes 結果不明, so whoever calls this holds the server's lock.
pub fn start(app: &App, run: String) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    workers.spawn(recorder::run(app.clone()));
    workers.spawn(sender::run(app.clone(), run));
    workers
}
