//! The database of the settings, opened: what every kind of it offers to the other parts.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crm_domain::members::Locale;
use crm_domain::ports::bell::{Bell, NoBell};
use crm_domain::ports::bulk::BulkStore;
use crm_domain::ports::store::{Store, StoreError};
use crm_domain::ports::store_admin::{MigrationStatus, StoreAdmin};
use crm_domain::ports::vault::KeyShelf;
use crm_host::{KeyVault, LockError, SealedBlobs, ServerLock};
use crm_postgres::{Hold, PgBell, PostgresError, PostgresOptions, PostgresStore, TableBlobs};
use crm_sqlite::{SqliteOptions, SqliteStore};
use secrecy::ExposeSecret as _;

use crate::backups::refuse_leftover;
use crate::composition::make_folder;
use crate::settings::{DataSettings, Database, DatabaseServer};
use crate::start_error::StartError;

/// Connections that read a file.
const READERS: u32 = 4;
/// What a database server calls our servers, and our other programs.
const SERVER: &str = "crm-web";
const COMMAND: &str = "crm";
/// How often a server that starts asks for a database that is away.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How often it says that it waits.
const TELL_AGAIN: Duration = Duration::from_mins(1);

/// An open database.
pub(crate) struct OpenDatabase {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) admin: Arc<dyn StoreAdmin>,
    pub(crate) shelf: Arc<dyn KeyShelf>,
    pub(crate) bulk: Arc<dyn BulkStore>,
    place: Place,
}

/// Where locks lie.
#[derive(Clone)]
pub(crate) enum Place {
    /// Beside the file.
    File(PathBuf),
    /// In the server.
    Server(Arc<PostgresStore>),
}

/// Whose program opens a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opener {
    /// The server's.
    Server,
    /// A command.
    Command,
    /// A command that fills an empty database, or goes on with that.
    Copy,
}

impl OpenDatabase {
    /// Opens it; migrates nothing. A file that is not there is made if `create` says so.
    pub(crate) fn open(database: &Database, create: bool, opener: Opener) -> Result<Self, StartError> {
        match database {
            Database::File(file) => {
                if create {
                    refuse_leftover(file)?;
                }
                Self::open_file(file, create, opener)
            }
            Database::Server(server) => Self::open_server(server, opener),
        }
        .map_err(|source| StartError::Store {
            database: database.clone(),
            source,
        })
    }

    /// Opens it for our server. A database server that is away is waited for; what does not pass by itself is told at once.
    pub(crate) async fn open_when_there(database: &Database) -> Result<Self, StartError> {
        if let Database::File(_) = database {
            return Self::open(database, true, Opener::Server);
        }
        let begun = Instant::now();
        let mut told: Option<Instant> = None;
        loop {
            let asked = database.clone();
            let opened = tokio::task::spawn_blocking(move || Self::open(&asked, true, Opener::Server)).await;
            let opened = opened.unwrap_or_else(|error| {
                Err(StartError::Store {
                    database: database.clone(),
                    source: StoreError::unavailable(error),
                })
            });
            let error = match opened {
                Err(error) if passes(&error) => error,
                opened => {
                    if told.is_some() && opened.is_ok() {
                        tracing::info!(
                            "the database is there, after {} seconds",
                            begun.elapsed().as_secs()
                        );
                    }
                    return opened;
                }
            };
            if told.is_none_or(|at| at.elapsed() >= TELL_AGAIN) {
                told = Some(Instant::now());
                tracing::warn!("waiting for the database: {}", error.sentence(Locale::En));
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    fn open_file(file: &Path, create: bool, opener: Opener) -> Result<Self, StoreError> {
        let options = SqliteOptions {
            path: file.to_owned(),
            readers: READERS,
            create,
        };
        let store = Arc::new(match opener {
            Opener::Copy => SqliteStore::open_for_copy(options, None)?,
            Opener::Server | Opener::Command => SqliteStore::open(options)?,
        });
        Ok(Self {
            store: Arc::clone(&store) as _,
            admin: Arc::clone(&store) as _,
            shelf: Arc::clone(&store) as _,
            bulk: store,
            place: Place::File(file.to_owned()),
        })
    }

    fn open_server(server: &DatabaseServer, opener: Opener) -> Result<Self, StoreError> {
        let replica = server.replica.as_ref();
        let options = PostgresOptions {
            url: server.url.expose_secret().to_owned(),
            replica: replica.map(|url| url.expose_secret().to_owned()),
            connections: server.connections,
            application: if opener == Opener::Server { SERVER } else { COMMAND }.to_owned(),
        };
        let store = Arc::new(match opener {
            Opener::Copy => PostgresStore::open_for_copy(options)?,
            Opener::Server | Opener::Command => PostgresStore::open(options)?,
        });
        Ok(Self {
            store: Arc::clone(&store) as _,
            admin: Arc::clone(&store) as _,
            shelf: Arc::clone(&store) as _,
            bulk: Arc::clone(&store) as _,
            place: Place::Server(store),
        })
    }

    /// Where its locks lie.
    pub(crate) fn place(&self) -> Place {
        self.place.clone()
    }
}

/// Whether this is a database server that may be there in a moment.
fn passes(error: &StartError) -> bool {
    let StartError::Store {
        source: StoreError::Unavailable(source),
        ..
    } = error
    else {
        return false;
    };
    source.downcast_ref().is_some_and(PostgresError::passes)
}

/// Every migration of this program for a file that was never made.
pub(crate) fn unapplied_in_file() -> Result<Vec<MigrationStatus>, StoreError> {
    crm_sqlite::unapplied_migrations()
}

/// Held as long as a program works on a store in a way that others must know of; freed however the program ends.
pub enum StoreLock {
    /// On a file: one program alone.
    File(ServerLock),
    /// On a server: any number of our servers together, or one program alone.
    Server(Hold),
}

impl Place {
    /// Whether several servers may work on it at once.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Server(_))
    }

    /// What servers on the same store wake each other by; to be called within a runtime.
    pub(crate) fn bell(&self) -> Arc<dyn Bell> {
        match self {
            Self::File(_) => Arc::new(NoBell),
            Self::Server(store) => Arc::new(PgBell::hang(Arc::clone(store))),
        }
    }

    /// Where the bytes of received files lie: in a folder beside a file, in the database server for all who use it.
    pub(crate) fn blobs(&self, data: &DataSettings, vault: &Arc<KeyVault>) -> SealedBlobs {
        match self {
            Self::File(_) => {
                SealedBlobs::in_folder(data.files_dir.clone(), data.files_quota, Arc::clone(vault))
            }
            Self::Server(store) => {
                let tables = TableBlobs::new(Arc::clone(store), data.files_quota);
                SealedBlobs::over(Arc::new(tables), Arc::clone(vault))
            }
        }
    }

    /// Says that a server works on the store. On a file it is the only one.
    pub(crate) async fn serve(&self) -> Result<StoreLock, LockTrouble> {
        match self {
            Self::File(file) => Ok(StoreLock::File(ServerLock::acquire(&ServerLock::file_of(file))?)),
            Self::Server(store) => held(store.hold_as_server().await),
        }
    }

    /// Takes the store for one program alone: no server may run.
    pub(crate) async fn take(&self) -> Result<StoreLock, LockTrouble> {
        match self {
            Self::File(_) => self.serve().await,
            Self::Server(store) => held(store.hold_alone().await),
        }
    }

    /// Whether a server, or a program that took the store, works on it now.
    pub(crate) async fn is_served(&self) -> Result<bool, LockTrouble> {
        match self {
            Self::File(file) => Ok(ServerLock::is_held(&ServerLock::file_of(file))?),
            Self::Server(store) => Ok(store.is_held().await?),
        }
    }

    /// One program at a time brings the database up to date; `None` while another is at it. A file is locked as a whole.
    pub(crate) async fn lock_upgrade(&self) -> Result<Option<UpgradeLock>, StoreError> {
        match self {
            Self::File(_) => Ok(Some(UpgradeLock(None))),
            Self::Server(store) => Ok(store.hold_upgrade().await?.map(|hold| UpgradeLock(Some(hold)))),
        }
    }

    /// One rotation of keys at a time; `None` while another is at it.
    pub(crate) async fn lock_rotation(&self) -> Result<Option<RotationLock>, StoreError> {
        match self {
            Self::File(file) => lock_beside(file),
            Self::Server(store) => Ok(store.hold_rotation().await?.map(RotationLock::Server)),
        }
    }
}

fn held(hold: Result<Option<Hold>, StoreError>) -> Result<StoreLock, LockTrouble> {
    hold?.map(StoreLock::Server).ok_or(LockTrouble::InUse)
}

/// Why a store was not had.
pub(crate) enum LockTrouble {
    File(LockError),
    InUse,
    Store(StoreError),
}

impl From<LockError> for LockTrouble {
    fn from(error: LockError) -> Self {
        Self::File(error)
    }
}

impl From<StoreError> for LockTrouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Held while the database is copied and brought up to date.
pub(crate) struct UpgradeLock(#[expect(dead_code, reason = "held, never read")] Option<Hold>);

/// Held during a rotation of keys.
pub(crate) enum RotationLock {
    /// Freed by the system however the program ends.
    File(#[expect(dead_code, reason = "held, never read")] File),
    /// Freed by the database server with the connection.
    Server(#[expect(dead_code, reason = "held, never read")] Hold),
}

fn lock_beside(database: &Path) -> Result<Option<RotationLock>, StoreError> {
    let mut name = database.file_name().unwrap_or_default().to_os_string();
    name.push(".keys.lock");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options
        .open(database.with_file_name(name))
        .map_err(StoreError::unavailable)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(RotationLock::File(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(StoreError::unavailable(error)),
    }
}

/// Makes the folder of a database file, but not what that is in: a mistyped path would otherwise become an empty database.
pub(crate) fn make_folder_of(database: &Database) -> Result<(), StartError> {
    let Some(dir) = database.file().and_then(Path::parent) else {
        return Ok(());
    };
    let missing = |dir: &Path| !dir.as_os_str().is_empty() && !dir.exists();
    match dir.parent() {
        Some(above) if missing(dir) && missing(above) => Err(StartError::Folder {
            dir: above.to_owned(),
            source: std::io::ErrorKind::NotFound.into(),
        }),
        _ if missing(dir) => make_folder(dir),
        _ => Ok(()),
    }
}
