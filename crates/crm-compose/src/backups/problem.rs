//! Why a backup is not taken, not trusted, or not put back.

use std::io;
use std::path::{Path, PathBuf};

use crm_archive::{ArchiveError, Place};
use crm_domain::error::Error;
use crm_domain::ports::backup_shelf::ShelfProblem;
use crm_domain::ports::blobs::BlobError;
use crm_domain::ports::store::StoreError;

use crate::settings::Database;
use crate::start_error::StartError;
use crate::transfer::CopyError;

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupProblem {
    /// A file of this name exists.
    #[error("{} exists already and is not overwritten", .0.display())]
    Exists(PathBuf),
    /// The folder or a file in it cannot be used.
    #[error("{} cannot be used: {source}", .path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// The database cannot be copied.
    #[error("the database cannot be copied: {0}")]
    Store(#[from] StoreError),
    /// A file cannot be read, but for being gone.
    #[error("a received file cannot be read: {0}")]
    File(#[from] BlobError),
    /// A file was deleted while the backup was taken, again and again.
    #[error("a received file went while it was copied")]
    Went,
    /// The secret key is not to be had, so that an encrypted backup could not be put back whole.
    #[error("the secret key cannot be read")]
    Key,
    /// The archive cannot be written or read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The database inside is not sound.
    #[error("the database inside is not sound: {0}")]
    Unsound(String),
    /// It was written by a later version.
    #[error("it was written by a later version of this program ({0})")]
    Later(String),
    /// The database server holds what this version does not know: a copy without it would lose it.
    #[error(
        "a later version of this program ({product}) has added to the database what this one does not know (table \
         {table}); take the backup with that version"
    )]
    Newer {
        /// The version that brought the database there.
        product: String,
        /// The first table that is another one.
        table: String,
    },
}

impl BackupProblem {
    /// Every code.
    pub const CODES: [&str; 10] = [
        "exists",
        "disk_full",
        "store",
        "key",
        "passphrase_missing",
        "passphrase_wrong",
        "later",
        "newer",
        "broken",
        "folder",
    ];

    /// A folder or file that the system does not let us use.
    pub(super) fn folder(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::Folder { path, source }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Exists(_) => "exists",
            Self::Folder { source, .. } if source.kind() == io::ErrorKind::StorageFull => "disk_full",
            Self::Store(error) if is_full(error) => "disk_full",
            Self::Store(_) | Self::File(_) | Self::Went => "store",
            Self::Key => "key",
            Self::Archive(ArchiveError::PassphraseMissing) => "passphrase_missing",
            Self::Archive(ArchiveError::PassphraseWrong) => "passphrase_wrong",
            Self::Archive(ArchiveError::Later(_)) | Self::Later(_) => "later",
            Self::Newer { .. } => "newer",
            Self::Archive(ArchiveError::Broken { .. }) | Self::Unsound(_) => "broken",
            Self::Archive(error) if error.code() == "disk_full" => "disk_full",
            Self::Folder { .. } | Self::Archive(_) => "folder",
        }
    }

    /// Which part is broken, if that is the problem: `beginning`, `manifest`, `member` with its name, `end` or `database`.
    pub fn broken_part(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Archive(ArchiveError::Broken { place, .. }) => Some(match place {
                Place::Beginning => ("beginning", ""),
                Place::Manifest => ("manifest", ""),
                Place::Member(name) => ("member", name),
                Place::End => ("end", ""),
            }),
            Self::Unsound(_) => Some(("database", "")),
            _ => None,
        }
    }
}

/// SQLite says so in words only.
fn is_full(error: &StoreError) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("disk is full") {
            return true;
        }
        cause = error.source();
    }
    false
}

impl From<&BackupProblem> for ShelfProblem {
    fn from(problem: &BackupProblem) -> Self {
        Self::new(problem.code(), problem)
    }
}

/// Why a backup that somebody asked for was not taken.
#[derive(Debug, thiserror::Error)]
pub enum BackupFailure {
    /// Another one is being taken.
    #[error("another backup is being taken")]
    Running,
    /// It failed.
    #[error(transparent)]
    Problem(#[from] BackupProblem),
    /// It may not be taken, or cannot be noted.
    #[error(transparent)]
    Domain(#[from] Error),
}

/// Why nothing was put back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreProblem {
    /// The backup itself.
    #[error(transparent)]
    Backup(#[from] BackupProblem),
    /// There is a database, or files, where it is to be put.
    #[error("{0} is not empty")]
    NotEmpty(String),
    /// The target holds a part of another backup.
    #[error("{0} holds the beginning of a restore of another backup")]
    Other(String),
    /// The target cannot be used.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The restored store cannot be brought in order.
    #[error(transparent)]
    Domain(#[from] Error),
    /// The rows cannot be moved into the database server; nothing is to be used of what is there.
    #[error("the database {database} was not filled: {source}")]
    Copy {
        /// Which.
        database: Database,
        /// Why.
        source: Box<CopyError>,
    },
}

impl From<StoreError> for RestoreProblem {
    fn from(error: StoreError) -> Self {
        Self::Backup(error.into())
    }
}

impl RestoreProblem {
    /// Of a restore whose rows may lie in this database already: it is gone on with, whatever stopped it now.
    pub(super) fn on_the_way(self, database: &Database) -> Self {
        match self {
            Self::Start(error) => Self::Copy {
                database: database.clone(),
                source: Box::new(CopyError::Start(error)),
            },
            other => other,
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Backup(problem) => problem.code(),
            Self::NotEmpty(_) => "not_empty",
            Self::Other(_) => "other",
            Self::Start(error) => error.code(),
            Self::Domain(error) => error.code(),
            Self::Copy { .. } => "copy",
        }
    }
}
