//! The parts put together: store, LINE WORKS and machine behind the domain's use cases.

use std::path::Path;
use std::sync::Arc;

use crm_domain::error::Error;
use crm_domain::permissions::Actor;
use crm_domain::ports::bell::Bell;
use crm_domain::ports::bulk::BulkStore;
use crm_domain::ports::host::{Clock, Machine, NoCaller, Secrets};
use crm_domain::ports::spool::{NoSpool, Spool, SpoolError};
use crm_domain::ports::store::{Store, StoreError};
use crm_domain::ports::store_admin::{MigrationStatus, StoreAdmin};
use crm_domain::use_cases::{Crm, Ports, StoredTokens};
use crm_host::{
    ArgonPasswords, DataDir, DiskQuarantine, DiskSpool, ErasedFile, KeyVault, RingSecrets, SecretKey,
    SystemClock, TotpCodes, VaultSeals,
};
use crm_lineworks::{LineWorks, LineWorksConfig, Timeouts};
use secrecy::ExposeSecret;

use crate::backups::{FolderShelf, Luggage, Workshop, mark, refuse_leftover, refuse_unfinished};
use crate::connection::Connection;
use crate::database::{
    LockTrouble, OpenDatabase, Opener, Place, StoreLock, make_folder_of, unapplied_in_file,
};
use crate::keys::{KeysAtHand, Setup, SetupError};
use crate::machine;
use crate::settings::{DataSettings, Database, LineWorksSettings, Settings};
use crate::start_error::StartError;
use crate::upgrade::Upgraded;

/// A program's parts.
pub struct Composition {
    /// The product.
    pub crm: Crm,
    /// The database.
    pub store: Arc<dyn Store>,
    /// Looking after the database.
    pub admin: Arc<dyn StoreAdmin>,
    /// LINE WORKS, as far as it is set up.
    connection: Arc<Connection>,
    pub(crate) keys: Result<Option<KeysAtHand>, StartError>,
    pub(crate) bulk: Arc<dyn BulkStore>,
    pub(crate) workshop: Arc<Workshop>,
    pub(crate) place: Place,
    pub(crate) vault: Arc<KeyVault>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness and hashes.
    pub secrets: Arc<dyn Secrets>,
    /// The settings it was made from.
    pub settings: Settings,
}

/// A server's parts. On a file it alone works on the store.
pub struct ServerComposition {
    /// What every program has.
    pub parts: Composition,
    /// The key from which those of sessions and forms are derived.
    pub key: SecretKey,
    /// Whether others can read the key's file; worth a warning.
    pub key_exposed: bool,
    /// What was done to the database at this start.
    pub migrated: Upgraded,
    /// What is wrong with the spool, if anything; worth an error, since a full disk would lose callbacks.
    pub spool_trouble: Option<SpoolError>,
    /// Whether an empty database was made where another one had been.
    pub begun_anew: bool,
    /// Held as long as the server works.
    pub lock: StoreLock,
}

impl ServerComposition {
    /// Makes the data folder, says that a server works on the store, migrates it and puts everything together. A database
    /// server that is away, or has enough connections for now, is waited for as long as this is; nothing was begun then.
    pub async fn open(settings: Settings) -> Result<Self, StartError> {
        refuse_unfinished(&settings.data)?;
        make_folder(&settings.data.dir)?;
        make_folder_of(&settings.data.database)?;
        let begun_anew =
            settings.data.database.missing().is_some() && settings.data.secret_key_file().exists();
        let opened = OpenDatabase::open_when_there(&settings.data.database).await?;
        let lock = opened.place().serve().await;
        let lock = lock.map_err(|trouble| locked(trouble, &settings))?;
        let (spool, spool_trouble) = open_spool(&settings.data)?;
        let mut parts = Composition::put_together(settings, opened, true, Some(spool))?;
        let keys = std::mem::replace(&mut parts.keys, Ok(None))?;
        let keys = keys.ok_or(StartError::OtherKey)?;
        parts.check_version().await?;
        let migrated = parts.bring_up_to_date().await?;
        parts.set_up_keys(&keys, true).await?;
        parts.connect().await?;
        Ok(Self {
            parts,
            key: keys.present,
            key_exposed: keys.exposed,
            migrated,
            spool_trouble,
            begun_anew,
            lock,
        })
    }
}

impl Composition {
    /// Opens the store for a command, beside a running server if there is one, and says which migrations were applied: a
    /// database that is missing or of an older version is made and brought up to date, unless a server works on it.
    pub async fn for_command(settings: Settings) -> Result<(Self, Vec<String>), StartError> {
        refuse_unfinished(&settings.data)?;
        make_folder(&settings.data.dir)?;
        make_folder_of(&settings.data.database)?;
        let opened = OpenDatabase::open(&settings.data.database, true, Opener::Command)?;
        let parts = Self::put_together(settings, opened, true, None)?;
        parts.check_version().await?;
        let failed = |source| parts.store_error(source);
        let pending = parts.store.migrations_pending().await.map_err(failed)?;
        let mut applied = Vec::new();
        if pending > 0 {
            if parts.server_runs().await? {
                return Err(StartError::OtherVersion(pending));
            }
            applied = parts.bring_up_to_date().await?.applied;
        }
        if let Ok(Some(keys)) = &parts.keys {
            parts.set_up_keys(keys, false).await?;
        }
        parts.connect().await?;
        Ok((parts, applied))
    }

    /// Opens the store as it is: makes and migrates nothing.
    pub fn as_it_is(settings: Settings) -> Result<Self, StartError> {
        if let Some(file) = settings.data.database.missing() {
            refuse_leftover(file)?;
            return Err(StartError::NoDatabase(settings.data.database));
        }
        let opened = OpenDatabase::open(&settings.data.database, false, Opener::Command)?;
        Self::put_together(settings, opened, false, None)
    }

    /// Every migration of this program and whether the database has it; a missing database is not made.
    pub async fn migrations(settings: Settings) -> Result<Vec<MigrationStatus>, StartError> {
        let database = settings.data.database;
        let status = if let Some(file) = database.missing() {
            refuse_leftover(file)?;
            unapplied_in_file()
        } else {
            let opened = OpenDatabase::open(&database, false, Opener::Command)?;
            opened.admin.migrations().await
        };
        status.map_err(|source| StartError::Store { database, source })
    }

    /// With a spool it is a server's, which alone keeps things tidy.
    pub(crate) fn put_together(
        settings: Settings,
        opened: OpenDatabase,
        create: bool,
        spool: Option<Arc<dyn Spool>>,
    ) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let secrets: Arc<dyn Secrets> = Arc::new(RingSecrets::new());
        if let Some(wanted) = &settings.line_works {
            // A key that cannot be used stops the program before it touches anything.
            LineWorks::new(config_of(wanted), Arc::clone(&clock))?;
        }
        let (keys, vault) = keys_of(&settings.data, &opened, create, &clock, &secrets)?;
        let tokens = StoredTokens::new(
            Arc::clone(&opened.store),
            Arc::clone(&vault) as _,
            secrets.as_ref(),
        );
        let connection = Connection::new(&settings, Arc::clone(&clock)).sharing_tokens(Arc::new(tokens));
        let connection = Arc::new(connection);
        let board = connection.board();
        let place = opened.place();
        let quarantine = DiskQuarantine::new(&settings.data.dir, Arc::clone(&clock));
        if spool.is_some() {
            quarantine.keep_tidy();
        }
        let workshop = Arc::new(Workshop {
            data: settings.data.clone(),
            admin: Arc::clone(&opened.admin),
            bulk: Arc::clone(&opened.bulk),
            blobs: place.blobs(&settings.data, &vault),
            clock: Arc::clone(&clock),
            installation: installation_of(&settings.data.database, &keys, secrets.as_ref()),
        });
        let luggage = Luggage::of(&settings);
        let crm = Crm::new(Ports {
            store: Arc::clone(&opened.store),
            clock: Arc::clone(&clock),
            secrets: Arc::clone(&secrets),
            codes: Arc::new(TotpCodes),
            caller: Arc::new(NoCaller),
            seals: Arc::new(VaultSeals::new(Arc::clone(&vault))),
            passwords: Arc::new(ArgonPasswords::new(Arc::clone(&secrets))?),
            messengers: Arc::clone(&board) as _,
            connector: Arc::clone(&connection) as _,
            callbacks: Arc::clone(&board) as _,
            spool: spool.unwrap_or_else(|| Arc::new(NoSpool)),
            quarantine: Arc::new(quarantine),
            files: Arc::clone(&board) as _,
            blobs: Arc::new(place.blobs(&settings.data, &vault)),
            shelf: Arc::new(FolderShelf::new(
                Arc::clone(&workshop),
                settings.backups.clone(),
                luggage,
            )),
            erased: Arc::new(ErasedFile::new(&settings.data.dir)),
            profiles: Arc::clone(&board) as _,
            vault: Arc::clone(&vault) as _,
            several_instances: place.is_shared(),
        });
        Ok(Self {
            crm,
            keys,
            place,
            vault,
            admin: opened.admin,
            bulk: opened.bulk,
            workshop,
            store: opened.store,
            connection,
            clock,
            secrets,
            settings,
        })
    }

    /// Connects to LINE WORKS by the settings and by what was set up in the pages, if it was asked for.
    async fn connect(&self) -> Result<(), StartError> {
        if self.settings.connection.is_none() {
            return Ok(());
        }
        let job = Actor::Job("connection");
        let stored = self.crm.stored_connection(&job).await;
        let (version, values) = stored.map_err(|error| match error {
            Error::Store(source) => self.store_error(source),
            error => self.store_error(StoreError::unavailable(error)),
        })?;
        Ok(self.connection.connect_at_start(version, &values)?)
    }

    /// Brings the data keys in order.
    pub(crate) async fn set_up_keys(&self, keys: &KeysAtHand, rewrap: bool) -> Result<(), StartError> {
        let setup = Setup {
            store: self.store.as_ref(),
            vault: &self.vault,
            wrapping: &keys.wrapping,
            clock: self.clock.as_ref(),
            secrets: &self.secrets,
            files: &self.settings.data.files_dir,
            rewrap,
        };
        setup.run().await.map_err(|error| match error {
            SetupError::OtherKey => StartError::OtherKey,
            SetupError::Failed(Error::Store(source)) => self.store_error(source),
            SetupError::Failed(Error::Vault(error)) => StartError::Vault(error),
            SetupError::Failed(error) => self.store_error(StoreError::unavailable(error)),
        })
    }

    /// Why nothing sealed can be opened, if so: the secret key is missing or is another one.
    pub fn key_trouble(&self) -> Option<&StartError> {
        self.keys.as_ref().err()
    }

    /// Refuses to go on when nothing sealed can be opened, and says why.
    pub fn need_key(&mut self) -> Result<(), StartError> {
        if self.keys.is_ok() {
            return Ok(());
        }
        std::mem::replace(&mut self.keys, Ok(None)).map(drop)
    }

    /// What servers on the same store wake each other by; to be called within a runtime.
    pub fn bell(&self) -> Arc<dyn Bell> {
        self.place.bell()
    }

    /// Takes the store for this program alone, so that no server works on it: whoever has it may send what is queued and
    /// write in bulk.
    pub async fn lock_store(&self) -> Result<StoreLock, StartError> {
        let taken = self.place.take().await;
        taken.map_err(|trouble| locked(trouble, &self.settings))
    }

    /// Whether a server works on the store now.
    pub async fn server_runs(&self) -> Result<bool, StartError> {
        let served = self.place.is_served().await;
        served.map_err(|trouble| locked(trouble, &self.settings))
    }

    /// The machine it runs on.
    pub fn machine(&self) -> Arc<dyn Machine> {
        Arc::new(machine::Place::of(&self.settings, self.admin.as_ref()))
    }

    pub(crate) fn store_error(&self, source: StoreError) -> StartError {
        StartError::Store {
            database: self.settings.data.database.clone(),
            source,
        }
    }
}

pub(crate) fn locked(trouble: LockTrouble, settings: &Settings) -> StartError {
    match trouble {
        LockTrouble::File(error) => StartError::Lock(error),
        LockTrouble::InUse => StartError::InUse(settings.data.database.clone()),
        LockTrouble::Store(source) => StartError::Store {
            database: settings.data.database.clone(),
            source,
        },
    }
}

/// The mark of an installation: its database and its secret key.
fn installation_of(
    database: &Database,
    keys: &Result<Option<KeysAtHand>, StartError>,
    secrets: &dyn Secrets,
) -> String {
    let place = match database {
        Database::File(file) => std::path::absolute(file)
            .unwrap_or_else(|_| file.clone())
            .display()
            .to_string(),
        Database::Server(_) => database.to_string(),
    };
    let key = keys.as_ref().ok().and_then(Option::as_ref);
    let key = key.map(|keys| keys.wrapping.fingerprint().to_string());
    mark(&secrets.hash(format!("{place}\n{}", key.unwrap_or_default()).as_bytes()))
}

/// The secret key, if there is one and it is the database's, and the vault that goes by it.
type KeysAndVault = (Result<Option<KeysAtHand>, StartError>, Arc<KeyVault>);

fn keys_of(
    data: &DataSettings,
    opened: &OpenDatabase,
    create: bool,
    clock: &Arc<dyn Clock>,
    secrets: &Arc<dyn Secrets>,
) -> Result<KeysAndVault, StartError> {
    let print = opened
        .shelf
        .key_fingerprint()
        .map_err(|source| StartError::Store {
            database: data.database.clone(),
            source,
        })?;
    let keys = KeysAtHand::find(data, print.as_deref(), create);
    let shelf = Arc::clone(&opened.shelf);
    let vault = Arc::new(KeyVault::new(shelf, Arc::clone(clock), Arc::clone(secrets)));
    if let Ok(Some(keys)) = &keys {
        vault.unlock(Arc::clone(&keys.wrapping));
    }
    Ok((keys, vault))
}

/// The spool, and what is wrong with it if anything: the server starts without one rather than not at all.
/// What waits in the data folder is taken in also when the settings name another one since.
fn open_spool(data: &DataSettings) -> Result<(Arc<dyn Spool>, Option<SpoolError>), StartError> {
    let (dir, usual) = (&data.spool_dir, data.dir.join("spool"));
    let before = (*dir != usual).then_some(usual.as_path());
    let opened = DiskSpool::open(dir, before, Arc::new(RingSecrets::new()));
    let (spool, outcome) = opened.map_err(|source| StartError::Folder {
        dir: dir.to_owned(),
        source,
    })?;
    Ok((Arc::new(spool), outcome.err()))
}

pub(crate) fn make_folder(dir: &Path) -> Result<(), StartError> {
    let made = DataDir::create(dir);
    made.map(|_| ()).map_err(|source| StartError::Folder {
        dir: dir.to_owned(),
        source,
    })
}

/// The client's own form of the settings.
pub fn config_of(settings: &LineWorksSettings) -> LineWorksConfig {
    let secrets = settings.bot_secrets.iter();
    let timeouts = Timeouts::default();
    LineWorksConfig {
        bot_id: settings.bot_id.clone(),
        bot_secrets: secrets.map(|text| text.expose_secret().to_owned()).collect(),
        client_id: settings.client_id.clone(),
        client_secret: settings.client_secret.expose_secret().to_owned(),
        service_account: settings.service_account.clone(),
        private_key: settings.private_key.expose_secret().to_owned(),
        scope: settings.scope.clone(),
        token_url: settings.token_url.clone(),
        api_url: settings.api_url.clone(),
        domain_id: settings.domain_id.clone(),
        rate_limit: settings.rate_limit,
        allow_unsigned: settings.allow_unsigned,
        timeouts: settings.timeout.map_or(timeouts, |total| timeouts.within(total)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Composition, ServerComposition};
    use crate::settings::{Need, Settings, Source};
    use crate::start_error::StartError;
    use crm_domain::members::Locale;
    use std::path::Path;

    fn settings(dir: &Path) -> Settings {
        let pairs = [("CRM_DATA_DIR".to_owned(), dir.display().to_string())];
        Settings::read(&Source::new(pairs, None), Need::Everything)
            .unwrap()
            .settings
    }

    #[tokio::test]
    async fn one_server_works_on_a_store_and_commands_beside_it() {
        let temp = tempfile::tempdir().unwrap();
        let settings = settings(&temp.path().join("data"));
        let server = ServerComposition::open(settings.clone()).await.unwrap();
        assert!(!server.migrated.applied.is_empty() && server.migrated.copy.is_none() && !server.key_exposed);
        server.parts.crm.ready().await.unwrap();
        let second = ServerComposition::open(settings.clone()).await.err().unwrap();
        assert_eq!(second.code(), "server_runs");
        assert!(second.sentence(Locale::Ja).contains("使用中"), "{second}");
        let (command, applied) = Composition::for_command(settings.clone()).await.unwrap();
        assert!(applied.is_empty() && command.server_runs().await.unwrap());
        assert!(command.lock_store().await.is_err());
        drop(server);
        assert!(!command.server_runs().await.unwrap());
        command.lock_store().await.unwrap();
    }

    #[tokio::test]
    async fn a_key_of_another_start_is_the_same_key() {
        let temp = tempfile::tempdir().unwrap();
        let settings = settings(temp.path());
        let first = ServerComposition::open(settings.clone()).await.unwrap().key;
        let second = ServerComposition::open(settings).await.unwrap().key;
        let tag = first.for_purpose("test").sign(b"x");
        assert!(second.for_purpose("test").verify(b"x", &tag));
    }

    #[test]
    fn what_was_never_made_is_not_made_by_looking() {
        let temp = tempfile::tempdir().unwrap();
        let settings = settings(&temp.path().join("none"));
        let error = Composition::as_it_is(settings).err().unwrap();
        assert!(matches!(error, StartError::NoDatabase(_)));
        assert!(!temp.path().join("none").exists());
    }
}
