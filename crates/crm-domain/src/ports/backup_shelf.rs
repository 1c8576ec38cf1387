//! The shelf of backups: where they are written, looked through and thrown away.

use async_trait::async_trait;

use crate::backups::Taken;
use crate::instant::Instant;

/// Why a backup cannot be taken, read or thrown away. The codes are catalogue keys.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct ShelfProblem {
    /// The stable code: `disk_full`, `folder`, `exists`, `store`, `key`, `broken`, `passphrase`.
    pub code: &'static str,
    /// What happened, for the log and for whoever looks closer; tells nothing of a person.
    pub detail: String,
}

impl ShelfProblem {
    /// A problem of this code.
    pub fn new(code: &'static str, detail: impl std::fmt::Display) -> Self {
        Self {
            code,
            detail: detail.to_string(),
        }
    }
}

/// Where daily backups lie.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShelfPlace {
    /// The folder; empty if this program keeps none.
    pub folder: String,
    /// Whether it lies on the disk on which the data lie.
    pub same_disk: bool,
    /// Whether backups in it are encrypted.
    pub encrypted: bool,
    /// How many are kept; 0: none is taken by itself.
    pub keep: usize,
    /// When the daily one is taken: minutes after midnight, in the time zone of the settings.
    pub at: u16,
}

/// A place for backups.
#[async_trait]
pub trait BackupShelf: Send + Sync {
    /// Takes one, named for this time, and reads it back whole. A failed one leaves no file.
    async fn take(&self, at: Instant) -> Result<Taken, ShelfProblem>;

    /// Throws away all but the newest, as many as are to be kept; says how many went.
    async fn tidy(&self) -> Result<usize, ShelfProblem>;

    /// Where it is. Looks at the disk.
    async fn place(&self) -> ShelfPlace;
}

/// For programs that take none by themselves.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoShelf;

#[async_trait]
impl BackupShelf for NoShelf {
    async fn take(&self, _: Instant) -> Result<Taken, ShelfProblem> {
        Err(ShelfProblem::new("folder", "this program keeps no backups"))
    }

    async fn tidy(&self) -> Result<usize, ShelfProblem> {
        Ok(0)
    }

    async fn place(&self) -> ShelfPlace {
        ShelfPlace::default()
    }
}
