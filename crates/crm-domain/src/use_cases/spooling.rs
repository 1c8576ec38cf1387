//! Getting through a time without the database: what waits in the spool goes in when it is back.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::Crm;
use crate::error::Error;
use crate::permissions::{Action, Actor, Denied};
use crate::ports::spool::{SpoolError, SpoolId};
use crate::shared_counts::SharedCount;

/// So many wrong signatures without a right one between are no accident.
const FAILURES: u64 = 3;

/// What callbacks met lately; one for all clones of a [`Crm`].
#[derive(Debug, Default)]
pub(super) struct Door {
    away: AtomicBool,
    wrong: AtomicU64,
    elsewhere: AtomicU64,
    /// Whether the others were told of trouble here, so that they must learn of its end.
    told: AtomicBool,
    /// What another instance's door met.
    wrong_there: AtomicBool,
    elsewhere_there: AtomicBool,
}

/// Under these names instances tell each other of their doors.
const WRONG: &str = "door/wrong";
const ELSEWHERE: &str = "door/elsewhere";

impl Door {
    pub(super) fn store_is_away(&self) -> bool {
        self.away.load(Ordering::Acquire)
    }

    pub(super) fn store_went_away(&self) {
        self.away.store(true, Ordering::Release);
    }

    fn store_is_back(&self) {
        self.away.store(false, Ordering::Release);
    }

    pub(super) fn signature_was_right(&self) {
        if self.wrong.load(Ordering::Relaxed) > 0 {
            self.wrong.store(0, Ordering::Relaxed);
        }
    }

    pub(super) fn signature_was_wrong(&self) {
        self.wrong.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn came_from_elsewhere(&self) {
        self.elsewhere.fetch_add(1, Ordering::Relaxed);
    }

    fn is_wrong(&self) -> bool {
        self.wrong.load(Ordering::Relaxed) >= FAILURES
    }

    fn is_elsewhere(&self) -> bool {
        self.elsewhere.load(Ordering::Relaxed) > 0
    }

    /// What the other instances are to learn; nothing while all is well and they know.
    pub(super) fn news(&self) -> Vec<SharedCount> {
        let (wrong, elsewhere) = (self.is_wrong(), self.is_elsewhere());
        if !wrong && !elsewhere && !self.told.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let news = [(WRONG, wrong), (ELSEWHERE, elsewhere)];
        news.map(|(name, is)| SharedCount {
            name: name.to_owned(),
            count: i64::from(is),
        })
        .into()
    }

    /// The others were told how it is now.
    pub(super) fn told(&self) {
        let trouble = self.is_wrong() || self.is_elsewhere();
        self.told.store(trouble, Ordering::Relaxed);
    }

    /// What the other instances told.
    pub(super) fn heard(&self, told: &[SharedCount]) {
        let is = |name| told.iter().any(|count| count.name == name && count.count > 0);
        self.wrong_there.store(is(WRONG), Ordering::Relaxed);
        self.elsewhere_there.store(is(ELSEWHERE), Ordering::Relaxed);
    }
}

/// What is wrong at the callbacks' door, for administrators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DoorTrouble {
    /// Several signatures in a row were wrong: the bot secret is not that of the Developer Console.
    pub wrong_signatures: bool,
    /// Rightly signed callbacks came from addresses that are not allowed.
    pub other_address: bool,
    /// The database cannot be written; callbacks wait in the spool.
    pub store_away: bool,
}

/// Whether a callback that came now could be made durable.
#[derive(Debug)]
pub enum Readiness {
    /// In the database.
    Ready,
    /// In the spool only.
    Degraded,
    /// Nowhere.
    Nowhere(SpoolError),
}

/// What a round of replaying did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replayed {
    /// How many were added to the database.
    pub added: usize,
    /// How many it had already: their first write got through after all.
    pub existed: usize,
    /// Whether more may be waiting.
    pub more: bool,
}

/// Why what waits in the spool did not get into the database. It waits on.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Callbacks may not be recorded.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The spool cannot be read.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The database does not take it.
    #[error(transparent)]
    Store(#[from] Error),
}

impl Crm {
    /// Takes up to `limit` callbacks from the spool into the database, in one unit of work, and releases them after its
    /// commit. Nothing is doubled: the unique key decides. From the first that works on, callbacks go to the database again.
    pub async fn replay_spool(&self, actor: &Actor, limit: usize) -> Result<Replayed, ReplayError> {
        self.may(actor, Action::RecordCallbacks)?;
        let waiting = self.ports.spool.waiting(limit).await;
        if self.door.store_is_away() && waiting.as_ref().map_or(true, Vec::is_empty) {
            self.ready().await?;
            self.door.store_is_back();
        }
        let waiting = waiting?;
        if waiting.is_empty() {
            return Ok(Replayed::default());
        }
        let (ids, receipts): (Vec<SpoolId>, Vec<_>) = waiting
            .into_iter()
            .map(|spooled| (spooled.id, spooled.receipt))
            .unzip();
        let count = receipts.len();
        let added = self.keep_late(receipts).await?;
        self.ports.spool.release(ids).await?;
        self.door.store_is_back();
        Ok(Replayed {
            added,
            existed: count - added,
            more: self.ports.spool.count() > 0,
        })
    }

    /// How many callbacks wait in the spool.
    pub fn spooled(&self) -> usize {
        self.ports.spool.count()
    }

    /// Whether the spool takes callbacks.
    pub async fn spool_works(&self) -> Result<(), SpoolError> {
        self.ports.spool.probe().await
    }

    /// Whether a callback that came now could be made durable; the database may take until `patience` ends.
    pub async fn readiness(&self, patience: impl Future<Output = ()> + Send) -> Readiness {
        if let Some(Ok(())) = super::callbacks::within(self.ready(), patience).await {
            return Readiness::Ready;
        }
        match self.ports.spool.probe().await {
            Ok(()) => Readiness::Degraded,
            Err(error) => Readiness::Nowhere(error),
        }
    }

    /// What is wrong at the callbacks' door, since this program started, here or at another instance.
    pub fn door_trouble(&self) -> DoorTrouble {
        let door = &self.door;
        DoorTrouble {
            wrong_signatures: door.is_wrong() || door.wrong_there.load(Ordering::Relaxed),
            other_address: door.is_elsewhere() || door.elsewhere_there.load(Ordering::Relaxed),
            store_away: self.door.store_is_away(),
        }
    }
}
