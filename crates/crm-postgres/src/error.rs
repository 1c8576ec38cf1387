//! What can go wrong with the server, in sentences. None of them holds a password.

use std::path::PathBuf;

use crm_domain::ports::store::StoreError;

/// The source of a [`StoreError::Unavailable`] of this store.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PostgresError {
    /// The address makes no sense.
    #[error(
        "the address of the database cannot be used: {0}; it looks like postgres://user:password@host:5432/database"
    )]
    Address(String),
    /// The certificates that `sslrootcert` names cannot be read.
    #[error("the certificates in {} cannot be read: {reason}; sslrootcert names a PEM file", path.display())]
    Roots {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No server could be reached, or it is not there yet.
    #[error(
        "no PostgreSQL answers at {at}: {reason}; check that it runs there and that the address is right"
    )]
    Unreachable {
        /// Hosts and ports.
        at: String,
        /// What the system said.
        reason: String,
    },
    /// A server was reached and takes no connection, for a reason that does not pass by itself.
    #[error("PostgreSQL at {at} cannot be used: {reason}; check the address and its sslmode")]
    Refused {
        /// Host and port.
        at: String,
        /// What it or the driver said.
        reason: String,
    },
    /// Wrong name or password.
    #[error(
        "PostgreSQL at {at} does not let the user {user} in: {reason}; check the user's name and password"
    )]
    NotAllowed {
        /// Host and port.
        at: String,
        /// The user's name.
        user: String,
        /// What PostgreSQL said.
        reason: String,
    },
    /// The database is not there.
    #[error("there is no database {name} at {at}; create it: {hint}")]
    NoDatabase {
        /// Host and port.
        at: String,
        /// Its name.
        name: String,
        /// The command that creates it.
        hint: String,
    },
    /// PostgreSQL takes no further connection.
    #[error(
        "PostgreSQL at {at} takes no further connections: {reason}; lower CRM_DATABASE_CONNECTIONS or raise max_connections"
    )]
    TooMany {
        /// Host and port.
        at: String,
        /// What PostgreSQL said.
        reason: String,
    },
    /// All connections are in use.
    #[error(
        "all {connections} connections to the database were in use for {seconds} seconds; the database is slow, or CRM_DATABASE_CONNECTIONS is too low"
    )]
    Full {
        /// How many there are.
        connections: usize,
        /// How long one was waited for.
        seconds: u64,
    },
    /// The server did not answer in time.
    #[error("the database did not answer within {0} seconds; nothing was stored")]
    Silent(u64),
    /// The connection was lost.
    #[error("the connection to the database was lost: {0}; nothing was stored")]
    Lost(String),
    /// The caller's code panicked.
    #[error("a unit of work failed inside and was undone")]
    Panicked,
    /// The store is being closed.
    #[error("the database is being closed")]
    Closed,
    /// A migration failed; the database is as it was.
    #[error("migration {name} failed, nothing was changed: {reason}")]
    Migration {
        /// Its name.
        name: String,
        /// What PostgreSQL said.
        reason: String,
    },
    /// A migration could not get at its tables; the database is as it was.
    #[error(
        "migration {name} did not get at its tables, which others used again and again; nothing was changed: {reason}; end long transactions and other programs on this database, then start again"
    )]
    Crowded {
        /// Its name.
        name: String,
        /// What PostgreSQL said.
        reason: String,
    },
    /// The database is no file that could be copied.
    #[error("a database on PostgreSQL is not copied as a file; use `crm backup`")]
    NoFile,
    /// The user may not do it.
    #[error(
        "PostgreSQL does not allow it: {0}; give the user the right, or make it the owner of the database"
    )]
    Forbidden(String),
    /// The server's disk is full.
    #[error("the disk of the PostgreSQL server is full: {0}; make room and run the same again")]
    DiskFull(String),
    /// A copy into this database was begun and not finished.
    #[error(
        "the database {0} holds a copy or a restore that is not finished and is no store yet; run the same crm db copy or crm restore again to finish it"
    )]
    Unfinished(String),
    /// The threads of the store could not be started.
    #[error("the threads that talk to the database could not be started: {0}")]
    Threads(String),
}

impl PostgresError {
    /// Whether this may pass by itself: the server is away, not there yet, or has enough connections for now.
    pub fn passes(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::TooMany { .. } | Self::Lost(_)
        )
    }
}

impl From<PostgresError> for StoreError {
    fn from(error: PostgresError) -> Self {
        Self::unavailable(error)
    }
}
