//! The shelf of backups: where they are written, looked through and thrown away.

use std::ffi::OsStr;
use std::path::Path;

use async_trait::async_trait;

use crate::backups::Taken;
use crate::instant::Instant;

/// Why a backup cannot be taken, read or thrown away. The codes are catalogue keys.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct ShelfProblem {
    /// The stable code: `disk_full`, `folder`, `exists`, `store`, `key`, `broken`, `newer` and others.
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
    /// Name and bytes of the files that are seen there; `None` where nobody looks.
    pub files: Option<Vec<(String, u64)>>,
}

impl ShelfPlace {
    /// Whether a backup is known not to lie there any more.
    pub fn lacks(&self, taken: &Taken) -> bool {
        let name = Path::new(&taken.file).file_name();
        let fits = |(file, size): &(String, u64)| Some(OsStr::new(file)) == name && *size == taken.size;
        self.files.as_ref().is_some_and(|files| !files.iter().any(fits))
    }
}

/// A place for backups.
#[async_trait]
pub trait BackupShelf: Send + Sync {
    /// Takes one, named for this time, and reads it back whole. A failed one leaves no file.
    async fn take(&self, at: Instant) -> Result<Taken, ShelfProblem>;

    /// Throws away what is too many of this installation's, as of this time; says how many went. `known` are its good
    /// backups, newest first: the first one stays, whatever the clock says.
    async fn tidy(&self, known: &[Taken], at: Instant) -> Result<usize, ShelfProblem>;

    /// The folder of daily ones, without looking at it; `None` if none is taken by itself.
    fn folder(&self) -> Option<String>;

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

    async fn tidy(&self, _: &[Taken], _: Instant) -> Result<usize, ShelfProblem> {
        Ok(0)
    }

    fn folder(&self) -> Option<String> {
        None
    }

    async fn place(&self) -> ShelfPlace {
        ShelfPlace::default()
    }
}
