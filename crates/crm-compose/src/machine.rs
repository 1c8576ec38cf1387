//! What the machine tells of itself, for whoever watches the program.

use std::path::PathBuf;

use crm_domain::ports::store_admin::StoreAdmin;
use crm_host::data_dir::free_space;

use crate::settings::{Database, Settings};

/// Where the program keeps its data, to be looked at.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The kind of database: `sqlite` or `postgres`.
    pub database: &'static str,
    /// The number of the newest migration.
    pub schema: i64,
    data_dir: PathBuf,
    log: Option<PathBuf>,
}

impl Machine {
    /// The machine of these settings and this database.
    pub(crate) fn of(settings: &Settings, admin: &dyn StoreAdmin) -> Self {
        let (database, log) = match &settings.data.database {
            Database::File(file) => {
                let mut log = file.clone().into_os_string();
                log.push("-wal");
                ("sqlite", Some(PathBuf::from(log)))
            }
            Database::Server(_) => ("postgres", None),
        };
        Self {
            database,
            schema: admin.newest_known(),
            data_dir: settings.data.dir.clone(),
            log,
        }
    }

    /// Free bytes where the data folder lies.
    pub fn free_bytes(&self) -> Option<u64> {
        free_space(&self.data_dir).ok().flatten()
    }

    /// The size of the database's write-ahead log in bytes, if it is a file of ours.
    pub fn wal_bytes(&self) -> Option<u64> {
        let log = std::fs::metadata(self.log.as_ref()?);
        // The last connection takes the file away with it.
        Some(log.map_or(0, |log| log.len()))
    }
}
