//! Finding out what became of a commit whose answer was lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crm_domain::instant::Instant as Stamp;
use crm_domain::ports::store::{OperationKey, StoreError, settling};
use tokio::time::{Instant, sleep};

use crate::desk::Desk;

/// How long it is tried: a restart or a failover is over by then, mostly.
const WITHIN: Duration = Duration::from_secs(15);
/// The pause between.
const PAUSE: Duration = Duration::from_millis(250);

/// Whether the unit with this key was stored. A server that is away is asked again.
///
/// The key was written, and that was answered, before the commit was sent. So while the commit may still come about, be it
/// that it waits for a standby or that the server stands still, its transaction holds the key on the server, and writing the
/// same key there waits for it. A server that was promoted meanwhile has the commit or will never have it.
pub(crate) async fn settle(desk: Arc<Desk>, key: OperationKey, at: Stamp) -> Result<bool, StoreError> {
    let end = Instant::now() + WITHIN;
    loop {
        let found = Arc::new(AtomicBool::new(false));
        let left = end.saturating_duration_since(Instant::now());
        let work = settling(key, at, Arc::clone(&found));
        let Err(error) = Arc::clone(&desk).write_within(work, left).await else {
            return Ok(found.load(Ordering::Relaxed));
        };
        if Instant::now() + PAUSE >= end {
            tracing::error!(%error, "it cannot be found out whether a commit was stored");
            return Err(error);
        }
        sleep(PAUSE).await;
    }
}
