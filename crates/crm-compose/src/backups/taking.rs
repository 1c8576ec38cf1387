//! Taking a backup while others write.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crm_archive::{Draft, Manifest, Passphrase, Written, names};
use crm_domain::backups::Taken;
use crm_domain::permissions::Actor;
use crm_domain::ports::backup_shelf::ShelfProblem;
use crm_domain::ports::blobs::BlobHash;
use crm_domain::ports::bulk::{BulkError, BulkStore};
use crm_domain::ports::erased::ErasedList as _;
use crm_domain::ports::host::Clock;
use crm_domain::ports::store::StoreError;
use crm_domain::ports::store_admin::{MigrationStatus, StoreAdmin};
use crm_host::data_dir::sync_folder;
use crm_host::{ErasedFile, SealedBlobs, spool};
use crm_sqlite::{SqliteOptions, SqliteStore, copies};

use super::archive::spool_member;
use super::contents::Contents;
use super::luggage::{Luggage, secret_key_of};
use super::problem::{BackupFailure, BackupProblem};
use super::scratch::{Scratch, for_taking};
use super::verify::verify_in;
use crate::composition::Composition;
use crate::settings::{DataSettings, Database};
use crate::transfer;

/// Everything that is needed to take backups.
pub(crate) struct Workshop {
    pub(crate) data: DataSettings,
    pub(crate) admin: Arc<dyn StoreAdmin>,
    pub(crate) bulk: Arc<dyn BulkStore>,
    pub(crate) blobs: SealedBlobs,
    pub(crate) clock: Arc<dyn Clock>,
    /// The mark by which files of this installation are told from others in the same folder.
    pub(crate) installation: String,
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
        let (beside, inside) = for_taking(&folder, &self.data.dir, passphrase)?;
        let at = self.clock.now();
        // Once before the copy and once after it: what waits before may be in the database only after it.
        let mut waiting = self.waiting()?;
        let database = inside.as_ref().unwrap_or(&beside).path().join("crm.db");
        self.copy_to(&database).await?;
        waiting.extend(self.waiting()?);
        waiting.sort();
        waiting.dedup();
        let small = self.small(&waiting, passphrase.is_some(), luggage).await?;
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
            let scratch = inside.as_ref().unwrap_or(&beside);
            put_together(&beside, scratch, &contents, &file, passphrase.as_ref())
        });
        let taken = written.await.map_err(StoreError::unavailable)??;
        if taken.missing_files > 0 {
            tracing::warn!(
                "the backup {} lacks {} received files that were gone or did not open",
                taken.file,
                taken.missing_files
            );
        }
        Ok(taken)
    }

    /// The small members, by name; what the luggage holds if it is to be `sealed`.
    async fn small(
        &self,
        waiting: &[Vec<u8>],
        sealed: bool,
        luggage: &Luggage,
    ) -> Result<Vec<(&'static str, Vec<u8>)>, BackupProblem> {
        let erased = ErasedFile::new(&self.data.dir).all().await;
        let erased = erased.map_err(BackupProblem::folder(&self.data.dir))?;
        let mut small = Vec::new();
        if !erased.is_empty() {
            small.push((names::ERASED, ErasedFile::text_of(&erased).into_bytes()));
        }
        if !waiting.is_empty() {
            small.push((names::SPOOL, spool_member(waiting)));
        }
        if sealed {
            let secret_key = secret_key_of(&self.data).ok_or(BackupProblem::Key)?;
            if let Some(name) = &luggage.unusable {
                tracing::warn!(
                    "the backup does not hold the private key of LINE WORKS: {name} cannot be used"
                );
            }
            let luggage = Luggage {
                secret_key: Some(secret_key),
                ..luggage.clone()
            };
            small.extend(luggage.members());
        }
        Ok(small)
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
        let copied = copied.await.map_err(StoreError::unavailable)?;
        let Err(RowsProblem::Rows(BulkError::OtherShape(table))) = copied else {
            return copied.map_err(|problem| problem.into_store_error().into());
        };
        let schema = self.admin.schema_version().await?;
        match schema.filter(|schema| schema.version > self.admin.newest_known()) {
            Some(schema) => Err(BackupProblem::Newer {
                product: schema.product,
                table,
            }),
            None => Err(StoreError::unavailable(BulkError::OtherShape(table)).into()),
        }
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
        let outcome = beating(BEAT, taking, async || {
            // It is being written all the same: what it comes to is noted at its end.
            if let Some(id) = noted
                && let Err(error) = self.crm.beat_backup(actor, id, false).await
            {
                tracing::warn!(%error, "a backup cannot show that it is alive");
            }
        })
        .await;
        if let Some(id) = noted {
            let told = outcome.as_ref().map(Taken::clone).map_err(ShelfProblem::from);
            self.crm.end_backup(actor, id, false, told).await?;
        }
        Ok(outcome?)
    }
}

/// Waits for the end of a backup, whatever becomes of its beats: nothing stops what writes it.
pub(super) async fn beating<T>(
    every: std::time::Duration,
    taking: impl Future<Output = T>,
    beat: impl AsyncFn(),
) -> T {
    tokio::pin!(taking);
    loop {
        tokio::select! {
            outcome = &mut taking => return outcome,
            () = tokio::time::sleep(every) => beat().await,
        }
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

/// Why rows are not in the file.
#[derive(Debug, thiserror::Error)]
enum RowsProblem {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Rows(#[from] BulkError),
}

impl RowsProblem {
    fn into_store_error(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Rows(error) => StoreError::unavailable(error),
        }
    }
}

/// All rows of a store into a new file of the same schema.
fn rows_into(bulk: &dyn BulkStore, file: &Path, last: i64) -> Result<(), RowsProblem> {
    let options = SqliteOptions {
        path: file.to_owned(),
        readers: 1,
        create: true,
    };
    let store = SqliteStore::open_for_copy_of(options, last)?;
    let mut source = bulk.bulk_source()?;
    let mut target = BulkStore::bulk_target(&store)?;
    let quiet: transfer::Teller = Arc::new(|_| ());
    transfer::load(source.as_mut(), target.as_mut(), "backup", &quiet)?;
    target.release()?;
    drop((target, store));
    Ok(copies::settle(file)?)
}

/// How often a backup is put together anew because a file was deleted meanwhile.
const TRIES: usize = 5;

/// Packs it in the folder `beside` where it is to lie, proves it in `scratch`, and gives it its name.
fn put_together(
    beside: &Scratch,
    scratch: &Scratch,
    contents: &Contents,
    file: &PathBuf,
    passphrase: Option<&Passphrase>,
) -> Result<Taken, BackupProblem> {
    let draft_file = beside.path().join("archive");
    let mut tries = 1..TRIES;
    let (manifest, written) = loop {
        match pack(&draft_file, contents, passphrase) {
            Err(BackupProblem::Went) if tries.next().is_some() => {
                std::fs::remove_file(&draft_file).map_err(BackupProblem::folder(&draft_file))?;
            }
            packed => break packed?,
        }
    };
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
        missing_files: manifest.missing_files.len() as u64,
    })
}

fn pack(
    draft_file: &Path,
    contents: &Contents,
    passphrase: Option<&Passphrase>,
) -> Result<(Manifest, Written), BackupProblem> {
    let manifest = contents.manifest()?;
    let out = private(draft_file).map_err(BackupProblem::folder(draft_file))?;
    let mut draft = Draft::begin(out, passphrase, &manifest)?;
    for member in &manifest.members {
        draft.add(contents.open(member)?)?;
    }
    Ok((manifest, draft.finish()?))
}

/// A new file that only its owner may read.
pub(super) fn private(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
