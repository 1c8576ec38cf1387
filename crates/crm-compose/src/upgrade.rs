//! Bringing a database up to date: who may, the copy that is taken before, and what is said when it fails.

use std::path::PathBuf;

use crate::backups::Luggage;
use crate::composition::{Composition, make_folder};
use crate::start_error::StartError;

/// What was done to a database at a start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upgraded {
    /// The migrations that were applied.
    pub applied: Vec<String>,
    /// The copy that was taken before.
    pub copy: Option<PathBuf>,
}

impl Composition {
    /// Refuses to work on a database that needs a newer program.
    pub(crate) async fn check_version(&self) -> Result<(), StartError> {
        let schema = self.admin.schema_version().await;
        match schema.map_err(|source| self.store_error(source))? {
            Some(schema) if !schema.admits(self.admin.newest_known()) => Err(StartError::NewerDatabase {
                database: self.settings.data.database.clone(),
                product: schema.product,
            }),
            _ => Ok(()),
        }
    }

    /// Applies what is missing. A database that holds something is copied before.
    pub(crate) async fn bring_up_to_date(&self) -> Result<Upgraded, StartError> {
        let migrations = self.admin.migrations().await;
        let migrations = migrations.map_err(|source| self.store_error(source))?;
        if migrations.iter().all(|migration| migration.applied) {
            return Ok(Upgraded::default());
        }
        let filled = migrations.iter().any(|migration| migration.applied);
        let copy = if filled {
            Some(self.copy_before().await?)
        } else {
            None
        };
        match self.admin.migrate().await {
            Ok(applied) => Ok(Upgraded { applied, copy }),
            Err(source) => Err(StartError::Migration {
                database: self.settings.data.database.clone(),
                copy,
                source,
            }),
        }
    }

    /// The names of the migrations that would be applied, after they were on a copy.
    pub async fn rehearse_migrations(&self) -> Result<Vec<String>, StartError> {
        self.check_version().await?;
        let rehearsed = self.admin.rehearse().await;
        rehearsed.map_err(|source| StartError::Migration {
            database: self.settings.data.database.clone(),
            copy: None,
            source,
        })
    }

    async fn copy_before(&self) -> Result<PathBuf, StartError> {
        let dir = &self.settings.data.backup_dir;
        make_folder(dir)?;
        let second = self.clock.now().to_string();
        let second: String = second.chars().filter(char::is_ascii_digit).take(14).collect();
        let passphrase = self.settings.backups.passphrase.as_ref();
        let end = if passphrase.is_some() { ".age" } else { "" };
        let newest = self.admin.newest_known();
        let file = dir.join(format!("before-{newest:04}-{second}.tar.zst{end}"));
        let luggage = Luggage::of(&self.settings);
        let copied = self.workshop.take(&file, passphrase, &luggage).await;
        copied.map_err(|source| StartError::CopyBefore {
            file: file.clone(),
            source: Box::new(source),
        })?;
        Ok(file)
    }
}
