//! The spool: where verified callbacks wait on disk while the database cannot take them.

use std::io;

use async_trait::async_trait;

use crate::receipts::NewReceipt;

/// Names a record of a spool; means nothing to anybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpoolId {
    /// Which of the spool's files, numbered by this process.
    pub file: u64,
    /// Where in it.
    pub place: u64,
}

/// A callback that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spooled {
    /// By which it is released.
    pub id: SpoolId,
    /// What was kept.
    pub receipt: NewReceipt,
}

/// Why a spool did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// This program keeps none.
    #[error("there is no spool")]
    Absent,
    /// The disk has no room for more.
    #[error("the spool is full and the disk has no room for another file of it")]
    Full,
    /// The folder or a file in it cannot be used.
    #[error("the spool cannot be used: {0}")]
    Io(#[from] io::Error),
}

/// Keeps verified callbacks until the database has them. Nothing in a callback's content can make it fail.
#[async_trait]
pub trait Spool: Send + Sync {
    /// Keeps a callback; `Ok` once it is on disk and will be there after a kill or a power cut. What failed is not found
    /// later either, as far as the disk allows.
    async fn keep(&self, receipt: &NewReceipt) -> Result<(), SpoolError>;

    /// The oldest that wait, also those of processes that died: at most `limit` and a few MiB of bodies.
    async fn waiting(&self, limit: usize) -> Result<Vec<Spooled>, SpoolError>;

    /// Forgets these. To be called after the commit that took them in, never before.
    async fn release(&self, ids: Vec<SpoolId>) -> Result<(), SpoolError>;

    /// How many wait, as far as this process knows; touches no disk.
    fn count(&self) -> usize;

    /// Whether a callback could be kept now: the disk is tried.
    async fn probe(&self) -> Result<(), SpoolError>;
}

/// The spool of a program that keeps none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSpool;

#[async_trait]
impl Spool for NoSpool {
    async fn keep(&self, _: &NewReceipt) -> Result<(), SpoolError> {
        Err(SpoolError::Absent)
    }

    async fn waiting(&self, _: usize) -> Result<Vec<Spooled>, SpoolError> {
        Ok(Vec::new())
    }

    async fn release(&self, _: Vec<SpoolId>) -> Result<(), SpoolError> {
        Ok(())
    }

    fn count(&self) -> usize {
        0
    }

    async fn probe(&self) -> Result<(), SpoolError> {
        Err(SpoolError::Absent)
    }
}
