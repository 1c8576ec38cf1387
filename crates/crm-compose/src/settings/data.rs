//! Where data lie, and the key.

use std::path::PathBuf;

use crm_host::SecretKey;
use crm_host::secret_key::KeyError;
use secrecy::SecretString;

use super::database::{self, Database};
use super::problem::Fault;
use super::reader::{Reader, number};

/// Places and keys.
#[derive(Debug, Clone)]
pub struct DataSettings {
    /// The data folder.
    pub dir: PathBuf,
    /// The database.
    pub database: Database,
    /// The secret key given; `None`: the one kept in the data folder.
    pub secret_key: Option<SecretString>,
    /// Earlier secret keys.
    pub previous_secret_keys: Vec<SecretString>,
    /// Where callbacks wait when the database cannot be written.
    pub spool_dir: PathBuf,
    /// Where daily backups go.
    pub backup_dir: PathBuf,
    /// Where the bytes of received files lie.
    pub files_dir: PathBuf,
    /// How many bytes they may take together.
    pub files_quota: u64,
}

impl DataSettings {
    /// Everything in its default place below `dir`.
    pub fn below(dir: PathBuf) -> Self {
        Self {
            database: Database::File(dir.join("crm.db")),
            secret_key: None,
            previous_secret_keys: Vec::new(),
            spool_dir: dir.join("spool"),
            backup_dir: dir.join("backups"),
            files_dir: dir.join("files"),
            files_quota: gibibytes(FILES_QUOTA),
            dir,
        }
    }

    /// The file of the key that is made when none is given.
    pub fn secret_key_file(&self) -> PathBuf {
        self.dir.join("secret.key")
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> DataSettings {
    let dir = reader
        .text("CRM_DATA_DIR")
        .map_or_else(|| PathBuf::from("data"), PathBuf::from);
    let default = DataSettings::below(dir);
    let database = database::read(reader, default.database);
    let given = reader.optional("CRM_SECRET_KEY", secret_key);
    if given.is_none() && database.file().is_none() && !reader.has_fault("CRM_SECRET_KEY") {
        // A key in a folder of one of several machines would be another one on each.
        reader.fault("CRM_SECRET_KEY", Fault::KeyNeededWithServer);
    }
    DataSettings {
        database,
        secret_key: given,
        previous_secret_keys: reader.parsed("CRM_SECRET_KEY_PREVIOUS", Vec::new(), earlier_keys),
        spool_dir: reader
            .text("CRM_SPOOL_DIR")
            .map_or(default.spool_dir, PathBuf::from),
        backup_dir: reader
            .text("CRM_BACKUP_DIR")
            .map_or(default.backup_dir, PathBuf::from),
        files_dir: default.files_dir,
        files_quota: reader.parsed("CRM_FILES_QUOTA", default.files_quota, |text| {
            number(text, 1).map(gibibytes)
        }),
        dir: default.dir,
    }
}

/// GiB that received files may take together.
const FILES_QUOTA: u32 = 10;

fn gibibytes(count: u32) -> u64 {
    u64::from(count) * 1024 * 1024 * 1024
}

/// The keys in a list. A key may hold commas itself, so every run of neighbouring parts may have been one.
fn earlier_keys(text: &str) -> Result<Vec<SecretString>, Fault> {
    let parts: Vec<&str> = text.split(',').collect();
    let runs = (1..=parts.len()).flat_map(|length| parts.windows(length));
    let keys: Vec<SecretString> = runs
        .take(MOST_EARLIER_KEYS)
        .filter_map(|run| secret_key(run.join(",").trim()).ok())
        .collect();
    if keys.is_empty() && !text.trim().is_empty() {
        return secret_key(text).map(|key| vec![key]);
    }
    Ok(keys)
}

/// More runs of parts than these are not tried.
const MOST_EARLIER_KEYS: usize = 200;

fn secret_key(text: &str) -> Result<SecretString, Fault> {
    match SecretKey::read_text(text) {
        Ok(_) => Ok(SecretString::from(text)),
        Err(KeyError::Mistyped(line)) => Err(Fault::MistypedKey { line }),
        Err(_) => Err(Fault::TooShort {
            min: SecretKey::MIN_BYTES,
        }),
    }
}
