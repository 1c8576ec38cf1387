//! How the program fares: counts and times for whoever watches it, nothing of a person.

use std::sync::Arc;

use time::Duration;

use super::{Crm, DoorTrouble};
use crate::backlog::{Depth, Queue};
use crate::error::Error;
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::store::{PoolState, Store, StoreExt};

/// How many of a queue are looked at.
pub const BACKLOG_MOST: usize = 10_000;

/// What waits in the database, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// When it was read, by the program's clock.
    pub at: Instant,
    /// Callbacks that are kept and not recorded yet.
    pub receipts: Depth,
    /// Callbacks that could not be understood.
    pub uninterpreted: usize,
    /// Messages that wait to be sent.
    pub queued: Depth,
    /// Messages on their way.
    pub sending: Depth,
    /// Files that are to be fetched.
    pub files: Depth,
    /// When the last callback came.
    pub last_received: Option<Instant>,
    /// When the newest good backup of those that count was begun: of the shelf, or any where none is taken by itself.
    pub last_backup: Option<Instant>,
    /// Whether the last try to take one failed; `None`: there was none.
    pub backup_failed: Option<bool>,
}

/// What is known without the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signs {
    /// How many callbacks wait in the spool.
    pub spooled: usize,
    /// Whether messages can be sent at all: a bot is set up.
    pub can_send: bool,
    /// How old the access token at hand is.
    pub token_age: Option<Duration>,
    /// What is wrong at the callbacks' door.
    pub trouble: DoorTrouble,
}

impl Crm {
    /// What waits in the database: one short reading, whatever the size of its tables.
    pub async fn load(&self, actor: &Actor) -> Result<Load, Error> {
        self.may(actor, Action::Measure)?;
        let (at, folder) = (self.now(), self.ports.shelf.folder());
        self.ports
            .store
            .read(move |unit| {
                let mut depth = |queue| unit.backlog().backlog(queue, BACKLOG_MOST);
                Ok(Load {
                    at,
                    receipts: depth(Queue::Receipts)?,
                    queued: depth(Queue::Queued)?,
                    sending: depth(Queue::Sending)?,
                    files: depth(Queue::Files)?,
                    uninterpreted: unit.receipts().uninterpreted_receipts()?,
                    last_received: unit.receipts().last_received()?,
                    last_backup: unit
                        .backups()
                        .last_good_backup(folder.as_deref())?
                        .map(|backup| backup.begun.at),
                    backup_failed: unit
                        .backups()
                        .last_backup(folder.as_deref())?
                        .map(|last| last.has_failed(at)),
                })
            })
            .await
    }

    /// The connections to the database, where there is a bounded number of them.
    pub fn pool(&self) -> Option<PoolState> {
        self.ports.store.pool()
    }

    /// The same CRM on the same database, looked at by whoever stands between.
    #[must_use]
    pub fn watched(mut self, between: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>) -> Self {
        self.ports.store = between(self.ports.store);
        self
    }

    /// What is known without asking the database.
    pub fn signs(&self, actor: &Actor) -> Result<Signs, Error> {
        self.may(actor, Action::Measure)?;
        Ok(Signs {
            spooled: self.spooled(),
            can_send: self.can_send(),
            token_age: self.ports.messengers.line_works().and_then(|bot| bot.token_age()),
            trouble: self.door_trouble(),
        })
    }
}
