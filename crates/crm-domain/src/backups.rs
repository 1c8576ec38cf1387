//! Backups: which were taken, and whether everything that leaves by itself rests because one was put back.

use std::path::Path;

use time::Duration;

use crate::id::Id;
use crate::instant::Instant;
use crate::ports::blobs::BlobHash;
use crate::ports::store::StoreError;

/// A backup that shows no sign of life for so long was broken off.
pub const BEAT_LIFE: Duration = Duration::minutes(3);
/// From this age on the newest good backup is too old.
pub const TOO_OLD: Duration = Duration::days(2);
/// How many that did not become good ones are remembered.
pub const REMEMBERED: usize = 200;
/// How many good ones are remembered: also years of them say which files are ours.
pub const GOOD_REMEMBERED: usize = 5_000;

/// A backup's key.
pub type BackupId = Id<Backup>;

/// How far a backup came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BackupState {
    /// It is being taken.
    Running,
    /// It lies in its place and was read back whole.
    Good,
    /// There is none.
    Failed,
}

impl BackupState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Running, Self::Good, Self::Failed];

    /// The stable code, for stores and catalogues.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Good => "good",
            Self::Failed => "failed",
        }
    }

    /// The state of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// A backup as it was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBackup {
    /// When.
    pub at: Instant,
    /// Whether it is the day's own; otherwise somebody asked for it.
    pub daily: bool,
    /// By whom, as shown.
    pub by: String,
    /// Where it is to lie; empty while that is not known.
    pub file: String,
}

/// What a backup came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Where it lies.
    pub file: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the file.
    pub hash: BlobHash,
    /// Whether it can be read with a passphrase only.
    pub encrypted: bool,
    /// Received files that rows name and that were not there, or did not open: it does not have them either.
    pub missing_files: u64,
}

/// A backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Its key.
    pub id: BackupId,
    /// How it was begun.
    pub begun: NewBackup,
    /// When it last showed that it is alive.
    pub beat_at: Instant,
    /// When it came to its end.
    pub finished_at: Option<Instant>,
    /// How far it came.
    pub state: BackupState,
    /// What it came to, if it is good.
    pub taken: Option<Taken>,
    /// Why it failed: a code of [`crate::ports::backup_shelf::ShelfProblem`], or `interrupted`.
    pub problem: Option<String>,
}

impl Backup {
    /// Whether it is being taken, as far as can be told at this time.
    pub fn is_running(&self, now: Instant) -> bool {
        self.state == BackupState::Running && now.since(self.beat_at) < BEAT_LIFE
    }

    /// Whether it was taken onto the shelf, or put into its folder: not one that somebody has written elsewhere.
    pub fn is_on_shelf(&self, folder: &str) -> bool {
        let file = Path::new(&self.begun.file);
        self.begun.daily || self.begun.file.is_empty() || file.parent() == Some(Path::new(folder))
    }

    /// Whether there is none: it failed or was broken off.
    pub fn has_failed(&self, now: Instant) -> bool {
        self.state == BackupState::Failed || self.state == BackupState::Running && !self.is_running(now)
    }
}

/// Why everything that leaves by itself rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PauseCause {
    /// A backup was restored.
    Restored,
    /// The database was copied from another one.
    Copied,
}

impl PauseCause {
    /// Every cause.
    pub const ALL: [Self; 2] = [Self::Restored, Self::Copied];

    /// The stable code, for stores and catalogues.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Restored => "restored",
            Self::Copied => "copied",
        }
    }

    /// The cause of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.code() == code)
    }
}

/// Sending, fetching and deleting by themselves rest until an administrator lets them go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// Since when.
    pub since: Instant,
    /// Why.
    pub cause: PauseCause,
}

/// Looking backups up.
pub trait BackupQueries {
    /// The newest, at most `limit`.
    fn backups(&mut self, limit: usize) -> Result<Vec<Backup>, StoreError>;

    /// The newest one, whatever becomes of it; with a shelf's folder the newest of those for which
    /// [`Backup::is_on_shelf`] holds.
    fn last_backup(&mut self, folder: Option<&str>) -> Result<Option<Backup>, StoreError>;

    /// The newest good one, of all or of the shelf in this folder.
    fn last_good_backup(&mut self, folder: Option<&str>) -> Result<Option<Backup>, StoreError>;

    /// The good ones, newest first, at most `limit`.
    fn good_backups(&mut self, limit: usize) -> Result<Vec<Backup>, StoreError>;

    /// When the oldest that is remembered was begun.
    fn first_backup_at(&mut self) -> Result<Option<Instant>, StoreError>;

    /// Whether work rests, and why.
    fn pause(&mut self) -> Result<Option<Pause>, StoreError>;
}

/// Noting backups, and what a restored store must not go on with.
pub trait BackupRepository {
    /// Notes that one begins; forgets good ones but the last [`GOOD_REMEMBERED`], others but the last [`REMEMBERED`].
    fn begin_backup(&mut self, new: &NewBackup) -> Result<BackupId, StoreError>;

    /// Notes that it is alive; `false` if it does not run any more.
    fn beat_backup(&mut self, id: BackupId, at: Instant) -> Result<bool, StoreError>;

    /// Notes what a running one came to, or the code of why there is none; `false` if it does not run any more.
    fn end_backup(
        &mut self,
        id: BackupId,
        outcome: Result<&Taken, &str>,
        at: Instant,
    ) -> Result<bool, StoreError>;

    /// Lets work rest, or go on with `None`; `false` if it was so before. The first cause stays.
    fn set_pause(&mut self, pause: Option<Pause>) -> Result<bool, StoreError>;

    /// Takes everything that belongs to a moment of the store's past: sessions, sign-ins under way, one-time links and the
    /// link for the first administrator, counters of attempts and departures, keys of finished work, backups under way, live
    /// events. They get this new epoch.
    fn forget_passing(&mut self, epoch: &str) -> Result<(), StoreError>;
}
