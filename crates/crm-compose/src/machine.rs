//! What the machine tells of itself, for whoever watches the program.

use std::path::PathBuf;

use crm_domain::ports::host::Machine;
use crm_domain::ports::store_admin::StoreAdmin;
use crm_host::data_dir::free_space;

use crate::settings::{Database, Settings};

/// Where the program keeps its data, to be looked at.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    database: &'static str,
    schema: i64,
    data_dir: PathBuf,
    backup_dir: PathBuf,
    log: Option<PathBuf>,
}

impl Place {
    /// The place of these settings and this database.
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
            backup_dir: settings.data.backup_dir.clone(),
            log,
        }
    }
}

impl Machine for Place {
    fn database(&self) -> &'static str {
        self.database
    }

    fn schema(&self) -> i64 {
        self.schema
    }

    fn free_bytes(&self) -> Option<u64> {
        free_space(&self.data_dir).ok().flatten()
    }

    fn free_backup_bytes(&self) -> Option<u64> {
        free_space(&self.backup_dir).ok().flatten()
    }

    fn log_bytes(&self) -> Option<u64> {
        let log = std::fs::metadata(self.log.as_ref()?);
        // The last connection takes the file away with it.
        Some(log.map_or(0, |log| log.len()))
    }
}
