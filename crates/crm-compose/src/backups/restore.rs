//! Putting a backup back into an empty place: verified first, put together in a folder of its own, and there all at once.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crm_archive::{Archive, Manifest, Member, Passphrase, Taker};
use crm_domain::backups::PauseCause;
use crm_domain::permissions::Actor;
use crm_domain::ports::blobs::{BlobError, Blobs as _};
use crm_domain::ports::store::{StoreError, StoreExt as _};
use crm_domain::receipts::NewReceipt;
use crm_host::SealedBlobs;
use crm_sqlite::copies;

use super::archive::{blob_of, hex};
use super::placing::{add_erased, beside, put_in_place};
use super::problem::{BackupProblem, RestoreProblem};
use super::restored::{KeyFate, Restored};
use super::sealing::Sealing;
use super::staging::Staging;
use super::verify::{Smalls, Verified, database_in, unpack};
use crate::composition::{Composition, make_folder};
use crate::database::{OpenDatabase, Opener, make_folder_of};
use crate::settings::{DataSettings, Database, Settings};
use crate::start_error::StartError;
use crate::transfer::{self, Side, Teller};

/// How many callbacks are taken in with one unit of work.
const CALLBACKS: usize = 100;

/// Puts a backup back into the empty place that the settings name. All or nothing: until the end nothing of it counts, and
/// interrupted it is begun again by calling this again. Nothing leaves by itself afterwards; see
/// [`crm_domain::use_cases::Crm::calm`].
pub async fn restore(
    settings: Settings,
    file: &Path,
    passphrase: Option<&Passphrase>,
    actor: &Actor,
    teller: Teller,
) -> Result<Restored, RestoreProblem> {
    let settings = settings.without_line_works();
    let made: Vec<PathBuf> = folders_of(&settings.data).filter(|dir| !dir.exists()).collect();
    make_folder(&settings.data.dir)?;
    make_folder_of(&settings.data.database)?;
    let staging = Staging::begin(&settings.data)?;
    let work = Work {
        settings: &settings,
        file,
        passphrase,
        actor,
        staging: &staging,
    };
    let database = &settings.data.database;
    match work.run(teller).await {
        Ok(restored) => {
            staging.end()?;
            Ok(restored)
        }
        // A copy into a server can be gone on with, also after a run that did not get as far.
        Err(problem @ RestoreProblem::Copy { .. }) => Err(problem),
        Err(problem) if staging.is_begun() && matches!(database, Database::Server(_)) => {
            Err(problem.on_the_way(database))
        }
        // What is wrong with the backup or the target leaves nothing.
        Err(problem) => {
            staging.abandon();
            for dir in made {
                // With something in it, it stays.
                drop(std::fs::remove_dir(dir));
            }
            Err(problem)
        }
    }
}

fn folders_of(data: &DataSettings) -> impl Iterator<Item = PathBuf> {
    let beside = data.database.file().and_then(Path::parent);
    [Some(data.dir.as_path()), beside]
        .into_iter()
        .flatten()
        .map(Path::to_owned)
}

struct Work<'a> {
    settings: &'a Settings,
    file: &'a Path,
    passphrase: Option<&'a Passphrase>,
    actor: &'a Actor,
    staging: &'a Staging,
}

/// Everything put together, before it counts.
struct Staged {
    verified: Verified,
    smalls: Smalls,
    sealing: Sealing,
    migrated: Vec<String>,
    files: u64,
    given_up: u64,
}

impl Work<'_> {
    async fn run(&self, teller: Teller) -> Result<Restored, RestoreProblem> {
        let is_server = matches!(self.settings.data.database, Database::Server(_));
        let staged = if is_server {
            self.stage_or_go_on().await?
        } else {
            self.staging.clear()?;
            self.stage().await?
        };
        let data = &self.settings.data;
        let written = beside(self.staging, data, &staged.smalls.luggage, &staged.sealing);
        let (settings, private_key) = written.map_err(BackupProblem::folder(&data.dir))?;
        let listed = add_erased(self.staging, data, &staged.smalls.erased).await;
        listed.map_err(BackupProblem::folder(&data.dir))?;
        if is_server {
            self.fill_server(&staged, teller).await?;
        } else {
            put_in_place(self.staging, data)?;
        }
        let fingerprint = staged.sealing.print()?;
        let manifest = staged.verified.manifest;
        Ok(Restored {
            rows: manifest.counts.values().sum(),
            files: staged.files,
            missing_files: manifest.missing_files.len() as u64,
            callbacks: staged.smalls.callbacks.len() as u64,
            given_up: staged.given_up,
            migrated: staged.migrated,
            key: staged.sealing.fate,
            fingerprint,
            settings,
            private_key,
            interrupted: self.staging.interrupted,
            made_at: manifest.made_at,
            product: manifest.product,
        })
    }

    /// Unpacks, verifies, and makes of it a store of this program's version under the key of the target.
    async fn stage(&self) -> Result<Staged, RestoreProblem> {
        let (verified, inside, smalls) = self.unpack().await?;
        let database = database_in(&self.staging.dir);
        let migrated = {
            let opened = OpenDatabase::open(&Database::File(database.clone()), false, Opener::Command)?;
            opened.admin.migrate().await?
        };
        let fingerprint = inside.key_fingerprint.as_deref();
        let sealing = Sealing::settle(&self.settings.data, &smalls.luggage, fingerprint, &database)?;
        copies::forget_files(&database, &verified.manifest.missing_files)?;
        let parts = self.store(&sealing, &database).await?;
        let files = self.files(&parts).await?;
        take_in(&parts, smalls.callbacks.clone()).await?;
        let given_up = self.calm(&parts, &verified, &sealing).await?;
        if matches!(sealing.fate, KeyFate::Adopted { .. }) {
            while parts.crm.seal_audit(&Actor::Job("restore")).await?.sealed > 0 {}
        }
        // One file with nothing beside it, on disk.
        let made = parts.admin.backup(&self.staging.join("crm.db")).await;
        made?;
        drop(parts);
        let noted = self.staging.complete(&hex(&verified.written.sha256));
        noted.map_err(BackupProblem::folder(&self.staging.dir))?;
        Ok(Staged {
            verified,
            smalls,
            sealing,
            migrated,
            files,
            given_up,
        })
    }

    async fn unpack(&self) -> Result<(Verified, copies::Inspection, Smalls), RestoreProblem> {
        let (file, passphrase) = (self.file.to_owned(), self.passphrase.cloned());
        let dir = self.staging.dir.clone();
        let unpacked = tokio::task::spawn_blocking(move || unpack(&file, passphrase.as_ref(), &dir));
        Ok(unpacked.await.map_err(StoreError::unavailable)??)
    }

    /// The staged database as a store, its keys in order.
    async fn store(&self, sealing: &Sealing, database: &Path) -> Result<Composition, RestoreProblem> {
        let mut settings = self.settings.clone();
        settings.data = DataSettings {
            database: Database::File(database.to_owned()),
            secret_key: Some(sealing.key.clone()),
            previous_secret_keys: sealing.earlier.clone(),
            files_dir: self.staging.files.clone(),
            files_quota: u64::MAX,
            ..DataSettings::below(self.staging.dir.clone())
        };
        let opened = OpenDatabase::open(&settings.data.database, false, Opener::Command)?;
        let mut parts = Composition::put_together(settings, opened, true, None)?;
        let keys = std::mem::replace(&mut parts.keys, Ok(None))?;
        let keys = keys.ok_or(StartError::OtherKey)?;
        parts.set_up_keys(&keys, true).await?;
        Ok(parts)
    }

    /// Puts the files of the backup under the staged store's key; they are proved again while they are read.
    async fn files(&self, parts: &Composition) -> Result<u64, RestoreProblem> {
        let blobs = parts.place.blobs(&parts.settings.data, &parts.vault);
        let (file, passphrase) = (self.file.to_owned(), self.passphrase.cloned());
        let taken = tokio::task::spawn_blocking(move || {
            let archive = Archive::open(&file).map_err(BackupProblem::folder(&file))?;
            let mut filing = Filing { blobs, count: 0 };
            archive.walk(passphrase.as_ref(), &mut filing)?;
            Ok::<_, BackupProblem>(filing.count)
        });
        let count = taken.await.map_err(StoreError::unavailable)??;
        if count > 0 {
            let keys = parts.crm.data_keys(&Actor::Job("restore")).await?;
            parts.crm.keep_file_keys(&Actor::Job("restore"), &keys)?;
        }
        Ok(count)
    }

    async fn calm(
        &self,
        parts: &Composition,
        verified: &Verified,
        sealing: &Sealing,
    ) -> Result<u64, RestoreProblem> {
        let manifest = &verified.manifest;
        let mut told = vec![
            ("made_at", manifest.made_at.clone()),
            ("sha256", hex(&verified.written.sha256)),
            ("key", sealing.fate.code().to_owned()),
        ];
        if let Some(head) = &manifest.audit_head {
            told.push(("audit_head", head.clone()));
        }
        Ok(parts.crm.calm(self.actor, PauseCause::Restored, &told).await?)
    }
}

/// Callbacks that the backup's server had answered become waiting receipts.
async fn take_in(parts: &Composition, callbacks: Vec<NewReceipt>) -> Result<(), RestoreProblem> {
    for some in callbacks.chunks(CALLBACKS) {
        let some = Arc::new(some.to_vec());
        let kept = parts.store.write(move |uow| {
            some.iter()
                .try_for_each(|receipt| uow.edit_receipts().keep_receipt(receipt).map(drop))
        });
        kept.await?;
    }
    Ok(())
}

/// Keeps the files of an archive.
struct Filing {
    blobs: SealedBlobs,
    count: u64,
}

impl Taker for Filing {
    fn manifest(&mut self, _: &Manifest) -> io::Result<()> {
        Ok(())
    }

    fn member(&mut self, member: &Member, contents: &mut dyn Read) -> io::Result<()> {
        let Some(hash) = blob_of(&member.name) else {
            return Ok(());
        };
        let mut draft = self.blobs.begin().map_err(io_of)?;
        let mut part = vec![0; 64 * 1024];
        loop {
            let count = contents.read(&mut part)?;
            if count == 0 {
                break;
            }
            draft
                .write(part.get(..count).unwrap_or_default())
                .map_err(io_of)?;
        }
        if draft.keep().map_err(io_of)?.hash != hash {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a file's name is not its hash",
            ));
        }
        self.count += 1;
        Ok(())
    }
}

fn io_of(error: BlobError) -> io::Error {
    match error {
        BlobError::Disk(error) => io::Error::new(error.kind(), error.to_string()),
        other => io::Error::other(other.to_string()),
    }
}

/// Into a database server: by way of a staged store, which is copied as `crm db copy` copies.
impl Work<'_> {
    /// A backup that an interrupted restore had put together is gone on with; its rows may lie in the server already.
    async fn stage_or_go_on(&self) -> Result<Staged, RestoreProblem> {
        let filled = self.check_server().await?;
        if !self.staging.interrupted {
            return self.stage().await;
        }
        let probe = self.staging.join("probe");
        drop(std::fs::remove_dir_all(&probe));
        make_folder(&probe)?;
        let (file, passphrase) = (self.file.to_owned(), self.passphrase.cloned());
        let dir = probe.clone();
        let unpacked = tokio::task::spawn_blocking(move || unpack(&file, passphrase.as_ref(), &dir));
        let (verified, inside, smalls) = unpacked.await.map_err(StoreError::unavailable)??;
        if !self.staging.is_complete(&hex(&verified.written.sha256)) {
            if filled {
                let database = self.settings.data.database.to_string();
                return Err(RestoreProblem::Other(database));
            }
            self.staging.clear()?;
            return self.stage().await;
        }
        let fingerprint = inside.key_fingerprint.as_deref();
        // On the copy that was just unpacked: the staged one is settled already.
        let sealing = Sealing::settle(
            &self.settings.data,
            &smalls.luggage,
            fingerprint,
            &database_in(&probe),
        )?;
        let files = verified.manifest.files() as u64;
        Ok(Staged {
            verified,
            smalls,
            sealing,
            migrated: Vec::new(),
            files,
            given_up: 0,
        })
    }

    /// A server with somebody's tables is refused before anything is unpacked; with those of an interrupted restore it is
    /// answered that it has some.
    async fn check_server(&self) -> Result<bool, RestoreProblem> {
        let database = &self.settings.data.database;
        let opened = OpenDatabase::open(database, false, Opener::Copy)?;
        let migrations = opened.admin.migrations().await?;
        let filled = migrations.iter().any(|migration| migration.applied);
        if filled && !self.staging.interrupted {
            return Err(RestoreProblem::NotEmpty(database.to_string()));
        }
        Ok(filled)
    }

    async fn fill_server(&self, staged: &Staged, teller: Teller) -> Result<(), RestoreProblem> {
        let data = &self.settings.data;
        let mut settings = self.settings.clone();
        settings.data.secret_key = Some(staged.sealing.key.clone());
        let from = Side {
            database: Database::File(self.staging.join("crm.db")),
            files: self.staging.files.clone(),
        };
        let to = Side {
            database: data.database.clone(),
            files: data.files_dir.clone(),
        };
        let failed = |source| RestoreProblem::Copy {
            database: data.database.clone(),
            source: Box::new(source),
        };
        let copied = transfer::copy(from, to, &settings, self.actor, teller)
            .await
            .map_err(failed)?;
        if copied.finished {
            return Ok(self.staging.moved()?);
        }
        let unequal = crm_domain::ports::bulk::BulkError::Stopped(
            "what was written is not what was read; begin again with an empty database".to_owned(),
        );
        Err(failed(transfer::CopyError::Rows(unequal)))
    }
}
