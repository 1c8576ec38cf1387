//! Work that no request waits for, or waits for a bounded time only: recording callbacks and sending messages.

mod backups;
mod connection;
mod counting;
mod ear;
mod fetcher;
mod housekeeper;
mod indexer;
mod keys;
mod measures;
mod profiles;
mod recorder;
mod replayer;
mod sealer;
mod sender;
mod sending;
mod signals;
mod sole;

use std::sync::Arc;
use std::time::Duration;

use crm_domain::permissions::Actor;
use tokio::task::JoinSet;

pub use sending::{Outcome, resend, send};
pub use signals::Signals;

use self::sole::sole;
use crate::state::App;

/// As whom background work acts.
const JOB: Actor = Actor::Job("crm-web");

/// How long a worker that panicked stays down.
const RECOVERY: Duration = Duration::from_secs(1);

/// Starts the workers; they end some seconds after the stop at the latest. Whoever calls this holds the server's lock, so that
/// what earlier runs had on its way becomes 結果不明; or is one of several instances, which share the jobs by leases.
pub fn start(app: &App) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    let owner: Arc<str> = app.secrets.token().into();
    workers.spawn(kept_alive(
        "recorder",
        app.clone(),
        sole("recorder", &owner, recorder::run),
    ));
    workers.spawn(kept_alive("replayer", app.clone(), replayer::run));
    workers.spawn(kept_alive("sender", app.clone(), sender::run));
    workers.spawn(kept_alive(
        "reader of names",
        app.clone(),
        sole("reader of names", &owner, profiles::run),
    ));
    workers.spawn(kept_alive(
        "sealer of the audit log",
        app.clone(),
        sole("sealer of the audit log", &owner, sealer::run),
    ));
    workers.spawn(kept_alive(
        "follower of the connection",
        app.clone(),
        connection::run,
    ));
    workers.spawn(kept_alive("listener to the bell", app.clone(), ear::run));
    workers.spawn(kept_alive("sharer of counts", app.clone(), counting::run));
    workers.spawn(kept_alive("writer of the logs", app.clone(), sealer::write));
    workers.spawn(kept_alive(
        "housekeeper at once",
        app.clone(),
        housekeeper::at_once,
    ));
    workers.spawn(kept_alive("fetcher", app.clone(), fetcher::run));
    workers.spawn(kept_alive(
        "housekeeper",
        app.clone(),
        sole("housekeeper", &owner, housekeeper::run),
    ));
    workers.spawn(kept_alive(
        "indexer of messages",
        app.clone(),
        sole("indexer of messages", &owner, indexer::run),
    ));
    workers.spawn(kept_alive(
        "keeper of keys",
        app.clone(),
        sole("keeper of keys", &owner, keys::run),
    ));
    workers.spawn(kept_alive("taker of backups", app.clone(), backups::run));
    workers.spawn(kept_alive(
        "taker of daily backups",
        app.clone(),
        sole("daily backup", &owner, backups::daily),
    ));
    workers.spawn(kept_alive("keeper of measures", app.clone(), measures::run));
    workers.spawn(kept_alive("live pages", app.clone(), crate::live::run));
    workers.spawn(kept_alive(
        "forgetter of events",
        app.clone(),
        sole("forgetter of events", &owner, crate::live::forget),
    ));
    workers
}

/// Runs a worker to its end; one that panics begins again.
async fn kept_alive<F>(name: &'static str, app: App, worker: impl Fn(App) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    while tokio::spawn(worker(app.clone())).await.is_err() && !app.stop.is_said() {
        tracing::error!("the {name} failed and begins again");
        tokio::time::sleep(RECOVERY).await;
    }
}
