//! Taking a backup while others write.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crm_archive::{Draft, Passphrase, names};
use crm_domain::backups::Taken;
use crm_domain::permissions::Actor;
use crm_domain::ports::backup_shelf::ShelfProblem;
use crm_domain::ports::blobs::BlobHash;
use crm_domain::ports::bulk::BulkStore;
use crm_domain::ports::erased::ErasedList as _;
use crm_domain::ports::host::Clock;
use crm_domain::ports::store::StoreError;
use crm_domain::ports::store_admin::{MigrationStatus, StoreAdmin};
use crm_host::data_dir::sync_folder;
use crm_host::{ErasedFile, SealedBlobs, spool};
use crm_sqlite::{SqliteOptions, SqliteStore, copies};
use tempfile::TempDir;

use super::archive::spool_member;
use super::contents::Contents;
use super::luggage::{Luggage, secret_key_of};
use super::problem::{BackupFailure, BackupProblem};
use super::verify::verify_in;
use crate::composition::Composition;
use crate::settings::{DataSettings, Database};
use crate::transfer;

/// How the folders in which backups are put together begin.
const SCRATCH: &str = ".crm-backup-";
/// A folder of that kind that is so old was left by a crash.
const LEFT: std::time::Duration = std::time::Duration::from_hours(48);

/// Everything that is needed to take backups.
pub(crate) struct Workshop {
    pub(crate) data: DataSettings,
    pub(crate) admin: Arc<dyn StoreAdmin>,
    pub(crate) bulk: Arc<dyn BulkStore>,
    pub(crate) blobs: SealedBlobs,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Workshop {
    /// Takes a backup into a new file and reads it back. A failed one leaves no file. With a passphrase it also holds the
    /// keys and what the luggage holds.
    pub(crate) async fn take(
        &self,
        file: &Path,
        passphrase: Option<&Passphrase>,
        luggage: &Luggage,
    ) -> Result<Taken, BackupProblem> {
        let file = std::path::absolute(file).map_err(BackupProblem::folder(file))?;
        if file.exists() {
            return Err(BackupProblem::Exists(file));
        }
        let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
        let scratch = scratch_in(&folder)?;
        let at = self.clock.now();
        // Once before the copy and once after it: what waits before may be in the database only after it.
        let mut waiting = self.waiting()?;
        let database = scratch.path().join("crm.db");
        self.copy_to(&database).await?;
        waiting.extend(self.waiting()?);
        waiting.sort();
        waiting.dedup();
        let erased = ErasedFile::new(&self.data.dir).all().await;
        let erased = erased.map_err(BackupProblem::folder(&self.data.dir))?;
        let mut small = Vec::new();
        if !erased.is_empty() {
            small.push((names::ERASED, ErasedFile::text_of(&erased).into_bytes()));
        }
        if !waiting.is_empty() {
            small.push((names::SPOOL, spool_member(&waiting)));
        }
        if passphrase.is_some() {
            let secret_key = secret_key_of(&self.data).ok_or(BackupProblem::Key)?;
            let luggage = Luggage {
                secret_key: Some(secret_key),
                ..luggage.clone()
            };
            small.extend(luggage.members());
        }
        let (blobs, passphrase) = (self.blobs.clone(), passphrase.cloned());
        let store = match self.data.database {
            Database::File(_) => "sqlite",
            Database::Server(_) => "postgresql",
        };
        let written = tokio::task::spawn_blocking(move || {
            let contents = Contents {
                inspection: copies::inspect(&database, false)?,
                database,
                small,
                blobs,
                store,
                at,
            };
            put_together(&scratch, &contents, &file, passphrase.as_ref())
        });
        written.await.map_err(StoreError::unavailable)?
    }

    /// What waits in the spool, whoever keeps it.
    fn waiting(&self) -> Result<Vec<Vec<u8>>, BackupProblem> {
        let usual = self.data.dir.join("spool");
        let mut records = Vec::new();
        let dirs = [
            Some(&self.data.spool_dir),
            Some(&usual).filter(|dir| **dir != self.data.spool_dir),
        ];
        for dir in dirs.into_iter().flatten() {
            records.extend(spool::records_in(dir).map_err(BackupProblem::folder(dir))?);
        }
        Ok(records)
    }

    /// Writes one consistent copy of the database into a file.
    async fn copy_to(&self, file: &Path) -> Result<(), BackupProblem> {
        if let Database::File(_) = self.data.database {
            return Ok(self.admin.backup(file).await?);
        }
        let (bulk, file) = (Arc::clone(&self.bulk), file.to_owned());
        let last = last_applied(&self.admin.migrations().await?);
        let copied = tokio::task::spawn_blocking(move || rows_into(bulk.as_ref(), &file, last));
        Ok(copied.await.map_err(StoreError::unavailable)??)
    }
}

/// How often a backup shows that it is alive.
const BEAT: std::time::Duration = std::time::Duration::from_secs(30);

impl Composition {
    /// Takes a backup into a new file and reads it back, beside a running server too. With a passphrase it also holds the
    /// keys and what the luggage holds. It is noted in the database, unless that is of an older version.
    pub async fn back_up(
        &self,
        actor: &Actor,
        file: &Path,
        passphrase: Option<&Passphrase>,
        luggage: &Luggage,
    ) -> Result<Taken, BackupFailure> {
        let current = self
            .store
            .migrations_pending()
            .await
            .is_ok_and(|count| count == 0);
        let name = file.display().to_string();
        let noted = if current {
            let begun = self.crm.begin_backup(actor, false, &name).await?;
            Some(begun.ok_or(BackupFailure::Running)?)
        } else {
            None
        };
        let taking = self.workshop.take(file, passphrase, luggage);
        tokio::pin!(taking);
        let outcome = loop {
            tokio::select! {
                outcome = &mut taking => break outcome,
                () = tokio::time::sleep(BEAT) => {
                    if let Some(id) = noted {
                        self.crm.beat_backup(actor, id, false).await?;
                    }
                }
            }
        };
        if let Some(id) = noted {
            let told = outcome.as_ref().map(Taken::clone).map_err(ShelfProblem::from);
            self.crm.end_backup(actor, id, false, told).await?;
        }
        Ok(outcome?)
    }
}

/// The number of the newest migration that a database has: before an update it is not this program's newest.
fn last_applied(migrations: &[MigrationStatus]) -> i64 {
    let applied = migrations.iter().filter(|migration| migration.applied);
    let number = |name: &str| name.split('_').next().and_then(|digits| digits.parse().ok());
    applied
        .filter_map(|migration| number(&migration.name))
        .max()
        .unwrap_or_default()
}

/// All rows of a store into a new file of the same schema.
fn rows_into(bulk: &dyn BulkStore, file: &Path, last: i64) -> Result<(), StoreError> {
    let options = SqliteOptions {
        path: file.to_owned(),
        readers: 1,
        create: true,
    };
    let store = SqliteStore::open_for_copy_of(options, last)?;
    let mut source = bulk.bulk_source().map_err(StoreError::unavailable)?;
    let mut target =
        crm_domain::ports::bulk::BulkStore::bulk_target(&store).map_err(StoreError::unavailable)?;
    let quiet: transfer::Teller = Arc::new(|_| ());
    let filled = transfer::load(source.as_mut(), target.as_mut(), "backup", &quiet);
    filled
        .and_then(|_| target.release())
        .map_err(StoreError::unavailable)?;
    drop((target, store));
    copies::settle(file)
}

/// A folder of its own in this one, and none of those that a crash left.
fn scratch_in(folder: &Path) -> Result<TempDir, BackupProblem> {
    let entries = std::fs::read_dir(folder).map_err(BackupProblem::folder(folder))?;
    for entry in entries.flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(SCRATCH);
        let age = entry.metadata().and_then(|meta| meta.modified()).ok();
        if ours && age.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > LEFT) {
            // If it cannot be removed now, the next backup tries again.
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
    let made = tempfile::Builder::new().prefix(SCRATCH).tempdir_in(folder);
    made.map_err(BackupProblem::folder(folder))
}

fn put_together(
    scratch: &TempDir,
    contents: &Contents,
    file: &PathBuf,
    passphrase: Option<&Passphrase>,
) -> Result<Taken, BackupProblem> {
    let manifest = contents.manifest()?;
    let draft_file = scratch.path().join("archive");
    let out = private(&draft_file).map_err(BackupProblem::folder(&draft_file))?;
    let mut draft = Draft::begin(out, passphrase, &manifest)?;
    for member in &manifest.members {
        draft.add(contents.open(member)?)?;
    }
    let written = draft.finish()?;
    verify_in(&draft_file, passphrase, scratch.path())?;
    let draft = tempfile::TempPath::try_from_path(draft_file).map_err(BackupProblem::folder(file))?;
    draft
        .persist_noclobber(file)
        .map_err(|error| match error.error.kind() {
            std::io::ErrorKind::AlreadyExists => BackupProblem::Exists(file.clone()),
            _ => BackupProblem::folder(file)(error.error),
        })?;
    let folder = file.parent().unwrap_or(Path::new("/"));
    sync_folder(folder).map_err(BackupProblem::folder(folder))?;
    Ok(Taken {
        file: file.display().to_string(),
        size: written.size,
        hash: BlobHash(written.sha256),
        encrypted: passphrase.is_some(),
    })
}

/// A new file that only its owner may read.
pub(super) fn private(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
