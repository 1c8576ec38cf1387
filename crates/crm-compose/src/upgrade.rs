//! Bringing a database up to date: who may, the copy that is taken before, and what is said when it fails.

use std::path::PathBuf;
use std::sync::Arc;

use crm_domain::ports::store::StoreError;
use crm_domain::ports::store_admin::MigrationStatus;
use crm_host::DataDir;

use crate::backups::{BackupProblem, Copies, Luggage, mark, tidy_copies};
use crate::composition::Composition;
use crate::database::UpgradeLock;
use crate::start_error::StartError;
use crate::transfer;

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

    /// Applies what is missing. A database that holds something is copied before. One program at a time is at it: the others
    /// wait, and find nothing missing.
    pub(crate) async fn bring_up_to_date(&self) -> Result<Upgraded, StartError> {
        if missing(&self.migrations_now().await?) == 0 {
            return Ok(Upgraded::default());
        }
        let _alone = self.upgrade_lock().await?;
        let migrations = self.migrations_now().await?;
        let copy = match missing(&migrations) {
            0 => return Ok(Upgraded::default()),
            count if count == migrations.len() => None,
            _ => Some(self.copy_before(&migrations).await?),
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

    async fn migrations_now(&self) -> Result<Vec<MigrationStatus>, StartError> {
        let migrations = self.admin.migrations().await;
        migrations.map_err(|source| self.store_error(source))
    }

    /// Waits for whoever is bringing the database up to date, for as long as that takes.
    async fn upgrade_lock(&self) -> Result<UpgradeLock, StartError> {
        let mut told = false;
        loop {
            let lock = self.place.lock_upgrade().await;
            if let Some(lock) = lock.map_err(|source| self.store_error(source))? {
                return Ok(lock);
            }
            if !std::mem::replace(&mut told, true) {
                tracing::info!("another program brings the database up to date; waiting for it");
            }
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

    /// A copy of what the database holds now. An update that fails and is tried again at once makes no other one.
    async fn copy_before(&self, migrations: &[MigrationStatus]) -> Result<PathBuf, StartError> {
        let passphrase = self.settings.backups.passphrase.as_ref();
        let state = self.state(migrations).await?;
        let copies = Copies {
            workshop: &self.workshop,
            target: self.admin.newest_known(),
            state: &state,
            sealed: passphrase.is_some(),
            now: self.clock.now(),
        };
        if let Some(file) = copies.at_hand() {
            tracing::info!(
                "the copy {} from before this update is used again",
                file.display()
            );
            return Ok(file);
        }
        let file = copies.file();
        let failed = |problem| StartError::CopyBefore {
            file: file.clone(),
            source: Box::new(problem),
        };
        let dir = &self.settings.data.backup_dir;
        DataDir::create(dir).map_err(|source| {
            failed(BackupProblem::Folder {
                path: dir.clone(),
                source,
            })
        })?;
        tracing::info!("copying the database to {} before its update", file.display());
        let luggage = Luggage::of(&self.settings);
        match self.workshop.take(&file, passphrase, &luggage).await {
            // Whoever was at it in the same second copied the same.
            Ok(_) | Err(BackupProblem::Exists(_)) => {}
            Err(problem) => return Err(failed(problem)),
        }
        tracing::info!("the database was copied to {}", file.display());
        let keep = self.settings.backups.keep;
        match tidy_copies(&self.workshop, keep, copies.now, Some(&file)) {
            Ok(0) => {}
            Ok(gone) => tracing::info!("{gone} older copies from before an update were thrown away"),
            Err(error) => tracing::warn!("older copies from before an update cannot be thrown away: {error}"),
        }
        Ok(file)
    }

    /// A mark that changes with whatever happens in the database.
    async fn state(&self, migrations: &[MigrationStatus]) -> Result<String, StartError> {
        let bulk = Arc::clone(&self.bulk);
        let traces = tokio::task::spawn_blocking(move || transfer::traces(bulk.bulk_source()?.as_mut()));
        let traces = traces
            .await
            .map_err(StoreError::unavailable)
            .and_then(|traces| traces.map_err(StoreError::unavailable));
        let traces = traces.map_err(|source| self.store_error(source))?;
        let applied = migrations.iter().filter(|migration| migration.applied);
        let names: Vec<&str> = applied.map(|migration| migration.name.as_str()).collect();
        Ok(mark(
            &self.secrets.hash(format!("{names:?} {traces:?}").as_bytes()),
        ))
    }
}

fn missing(migrations: &[MigrationStatus]) -> usize {
    migrations.iter().filter(|migration| !migration.applied).count()
}
