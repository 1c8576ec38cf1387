//! What can go wrong with the file itself, in sentences.

use std::path::PathBuf;

use crm_domain::ports::store::StoreError;

/// The source of a [`StoreError::Unavailable`] of this store.
#[derive(Debug, thiserror::Error)]
pub enum SqliteError {
    /// The file cannot be opened or created.
    #[error("the database file {} cannot be opened: {reason}; check that its folder exists and may be written", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite or the system said.
        reason: String,
    },
    /// SQLite cannot keep a write-ahead log beside the file.
    #[error("the database file {} cannot use a write-ahead log; it must lie on a local disk, not on a network share", .0.display())]
    NoWriteAheadLog(PathBuf),
    /// Somebody else holds the file's write lock, or the file cannot be written.
    #[error("the database cannot be written now: {0}; another program may be using it, try again")]
    Busy(String),
    /// The transaction was ended by SQLite.
    #[error("the database could not store the data: {0}; check the free space of its disk")]
    Lost(String),
    /// The caller's code panicked.
    #[error("a unit of work failed inside and was undone")]
    Panicked,
    /// The store is being closed.
    #[error("the database is being closed")]
    Closed,
    /// The file for a copy exists.
    #[error("{} exists already and is not overwritten; choose another name", .0.display())]
    Exists(PathBuf),
    /// A copy could not be written.
    #[error("the copy {} could not be written: {reason}", path.display())]
    Copy {
        /// The new file.
        path: PathBuf,
        /// What SQLite or the system said.
        reason: String,
    },
    /// A copy into this file was begun and not finished.
    #[error("the database file {} holds a copy that is not finished and is no store yet; run the same copy again to finish it", .0.display())]
    Unfinished(PathBuf),
    /// A migration failed; the database is as it was.
    #[error("migration {name} failed, nothing was changed: {reason}")]
    Migration {
        /// Its name.
        name: String,
        /// What SQLite said.
        reason: String,
    },
    /// After the migrations a row refers to nothing; the database is as it was.
    #[error("after the migrations a row of table {0} would refer to nothing; nothing was changed")]
    Dangling(String),
}

impl From<SqliteError> for StoreError {
    fn from(error: SqliteError) -> Self {
        Self::unavailable(error)
    }
}
