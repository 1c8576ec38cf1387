//! Readings that may be a little old: on the replica while it answers.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crm_domain::ports::store::{ReadWork, StoreError};

use crate::desk::Desk;

/// How long a replica is left alone that could not be used.
const REST: Duration = Duration::from_secs(5);
/// How long a reading may take on it before the other server is asked.
const WITHIN: Duration = Duration::from_secs(15);

/// The second server.
pub(crate) struct Replica {
    desk: Desk,
    shunned: Mutex<Option<Instant>>,
}

impl Replica {
    pub(crate) fn new(desk: Desk) -> Self {
        Self {
            desk,
            shunned: Mutex::new(None),
        }
    }

    /// Runs a reading; gives it back if another server should.
    pub(crate) async fn read(&self, work: ReadWork) -> Result<(), (Option<ReadWork>, StoreError)> {
        let shunned = *self.shunned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(since) = shunned
            && since.elapsed() < REST
        {
            return Err((Some(work), StoreError::unavailable("the replica does not answer")));
        }
        let read = self.desk.read_within(work, WITHIN).await;
        if let Err((Some(_), error)) = &read {
            tracing::warn!(%error, "the replica does not answer; readings go to the primary");
            *self.shunned.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        read
    }
}
