//! A whole store into another one, whichever they are: rows, files, and the proof that both are equal.
//!
//! In the target nothing leaves by itself afterwards: see [`crm_domain::use_cases::Crm::calm`].

mod error;
mod files;
mod load;
#[cfg(test)]
mod office_tests;
mod proof;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crm_domain::backups::PauseCause;
use crm_domain::permissions::Actor;
use crm_domain::ports::blobs::BlobHash;
use crm_domain::ports::bulk::{BulkError, BulkSource, BulkTarget, CellKind, Finishing, TableShape};
use crm_domain::ports::store::{StoreError, StoreExt as _};
use crm_host::SealedBlobs;

pub use error::CopyError;
pub use files::FilesCopied;
pub use load::{LoadedTable, load};
pub use proof::{Digest, TableProof, prove};

use crate::composition::{Composition, locked};
use crate::database::{OpenDatabase, Opener, make_folder_of};
use crate::keys::KeysAtHand;
use crate::settings::{Database, Settings};
use crate::start_error::StartError;

/// Noted when both sides were proved equal: an interrupted run does not prove it again, since the end changes the target.
const PROVED: &str = "proved";
/// Whatever happens in a store leaves something in one of these.
const TRACES: [&str; 4] = ["audit", "events", "receipts", "sends"];

/// What a copy is busy with.
#[derive(Debug, Clone)]
pub enum Told<'a> {
    /// Rows of a table are written.
    Table {
        /// Which.
        name: &'a str,
        /// How many the target has.
        done: u64,
        /// How many the source has.
        total: u64,
    },
    /// The target is finished.
    Finishing(Finishing<'a>),
    /// The target is read back.
    Proving {
        /// Which table.
        name: &'a str,
        /// How many rows were read.
        done: u64,
    },
    /// Files are copied.
    Files {
        /// How many are done.
        done: u64,
        /// Of how many.
        total: u64,
    },
}

/// Hears what a copy is busy with, on any thread.
pub type Teller = Arc<dyn Fn(Told<'_>) + Send + Sync>;

/// A store with its files.
#[derive(Debug, Clone)]
pub struct Side {
    /// The database.
    pub database: Database,
    /// The folder of its files, if it is a database file.
    pub files: PathBuf,
}

/// What became of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Each table on both sides; empty when an earlier run had proved them and was interrupted after it.
    pub tables: Vec<TableProof>,
    /// The files.
    pub files: FilesCopied,
    /// Messages that were on their way and are 結果不明 in the target.
    pub given_up: u64,
    /// Whether the target is a store now: everything is equal.
    pub finished: bool,
}

/// Copies everything from one store into another, empty one, or goes on with a copy that was interrupted. `settings` give
/// the secret key, which is that of both.
pub async fn copy(
    from: Side,
    to: Side,
    settings: &Settings,
    actor: &Actor,
    teller: Teller,
) -> Result<Copied, CopyError> {
    if same(&from.database, &to.database) {
        return Err(CopyError::Same(from.database));
    }
    let mut source = Composition::as_it_is(at(settings, &from)).map_err(|error| match error {
        StartError::NoDatabase(database) => CopyError::SourceMissing(database),
        error => error.into(),
    })?;
    check_source(&source).await?;
    let _source_lock = source.lock_store().await?;
    std::mem::replace(&mut source.keys, Ok(None))?;
    let target_settings = with_key_of(&source, at(settings, &to)).await?;
    let opened = open_target(&to.database)?;
    let target_lock = opened.place().take().await;
    let _target_lock = target_lock.map_err(|trouble| locked(trouble, &target_settings))?;

    let origin = format!("{} to {}", from.database, to.database);
    let (mut rows, moved) = rows_of_both(&source, &opened, origin, &teller).await?;
    if !moved.proofs.iter().flatten().all(TableProof::is_equal) {
        return Ok(Copied {
            tables: moved.proofs.unwrap_or_default(),
            files: FilesCopied::default(),
            given_up: 0,
            finished: false,
        });
    }
    let unchanged = |traces: &[i64]| {
        if traces == moved.traces {
            Ok(())
        } else {
            Err(CopyError::Changed(from.database.clone()))
        }
    };
    unchanged(&moved.now)?;

    let target = Composition::put_together(target_settings, opened, false, None)?;
    let (kept, keeps) = (blobs(&source), blobs(&target));
    let names = moved.files;
    let copied = tokio::task::spawn_blocking(move || files::copy(&names, &kept, &keeps, &teller));
    let files = copied.await.map_err(|_| panicked())??;

    let told = [
        ("from", from.database.to_string()),
        ("rows", moved.rows.to_string()),
    ];
    let given_up = target.crm.calm(actor, PauseCause::Copied, &told).await?;
    let bulk = Arc::clone(&source.bulk);
    unchanged(&apart(move || traces(bulk.bulk_source()?.as_mut())).await?)?;
    apart(move || rows.release()).await?;
    Ok(Copied {
        tables: moved.proofs.unwrap_or_default(),
        files,
        given_up,
        finished: true,
    })
}

/// Moves the rows, and gives back the target to be released.
async fn rows_of_both(
    source: &Composition,
    target: &OpenDatabase,
    origin: String,
    teller: &Teller,
) -> Result<(Box<dyn BulkTarget>, Moved), CopyError> {
    let (source, target) = (Arc::clone(&source.bulk), Arc::clone(&target.bulk));
    let teller = Arc::clone(teller);
    apart(move || {
        let mut source = source.bulk_source()?;
        let mut target = target.bulk_target()?;
        let moved = move_rows(source.as_mut(), target.as_mut(), &origin, &teller)?;
        Ok((target, moved))
    })
    .await
}

fn blobs(parts: &Composition) -> SealedBlobs {
    parts.place.blobs(&parts.settings.data, &parts.vault)
}

/// The settings for one side. What belongs to a database file lies in its folder, unless it is the one of the settings.
fn at(settings: &Settings, side: &Side) -> Settings {
    let mut settings = settings.clone().without_line_works();
    if let Some(dir) = side.database.file().and_then(Path::parent)
        && !same(&settings.data.database, &side.database)
    {
        settings.data.dir = if dir.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            dir.to_owned()
        };
    }
    settings.data.database = side.database.clone();
    settings.data.files_dir.clone_from(&side.files);
    settings
}

/// The target goes by the source's secret key, so a key of its own must be the same one.
async fn with_key_of(source: &Composition, mut target: Settings) -> Result<Settings, CopyError> {
    let print: Result<_, StoreError> = source.store.read(|unit| unit.data_keys().key_fingerprint()).await;
    let print = print.map_err(|error| source.store_error(error))?;
    let own = &target.data;
    if own.secret_key.is_none() && !own.secret_key_file().exists() {
        let file = source.settings.data.secret_key_file();
        if let Ok(text) = std::fs::read_to_string(file) {
            target.data.secret_key = Some(text.trim().to_owned().into());
        }
    }
    KeysAtHand::find(&target.data, print.as_deref(), false)?;
    Ok(target)
}

fn same(one: &Database, other: &Database) -> bool {
    let file = |database: &Database| database.file().and_then(|file| std::fs::canonicalize(file).ok());
    match (file(one), file(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one.to_string() == other.to_string(),
    }
}

/// It holds something, and this program's version of it.
async fn check_source(source: &Composition) -> Result<(), CopyError> {
    source.check_version().await?;
    let migrations = source.admin.migrations().await;
    let migrations = migrations.map_err(|error| source.store_error(error))?;
    let database = source.settings.data.database.clone();
    let missing = migrations.iter().filter(|migration| !migration.applied).count();
    match missing {
        0 => Ok(()),
        _ if missing == migrations.len() => Err(CopyError::SourceEmpty(database)),
        missing => Err(CopyError::SourceOld { database, missing }),
    }
}

fn open_target(database: &Database) -> Result<OpenDatabase, StartError> {
    make_folder_of(database)?;
    OpenDatabase::open(database, true, Opener::Copy)
}

fn panicked() -> CopyError {
    CopyError::Rows(BulkError::Stopped("the copy failed inside".to_owned()))
}

/// Runs what blocks on a thread made for it.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BulkError> + Send + 'static,
) -> Result<T, CopyError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|_| panicked())??)
}

/// What moving the rows came to.
struct Moved {
    /// `None`: an earlier run proved them.
    proofs: Option<Vec<TableProof>>,
    rows: u64,
    files: BTreeSet<BlobHash>,
    /// How far the counters of the source were when the rows were proved.
    traces: Vec<i64>,
    /// How far they were when this run began.
    now: Vec<i64>,
}

/// Moves and proves the rows, unless an earlier run did.
fn move_rows(
    source: &mut dyn BulkSource,
    target: &mut dyn BulkTarget,
    origin: &str,
    teller: &Teller,
) -> Result<Moved, BulkError> {
    let traces = traces(source)?;
    let mut moved = Moved {
        proofs: None,
        rows: 0,
        files: files::named(source)?,
        now: traces.clone(),
        traces,
    };
    for table in target.begin(origin)? {
        moved.rows += target.reached(&table)?.rows;
    }
    if let Some(earlier) = target.noted()?.as_deref().and_then(proved_at) {
        moved.traces = earlier;
        return Ok(moved);
    }
    let loaded = load(source, target, origin, teller)?;
    let proofs = prove(source, target.written()?.as_mut(), &loaded, teller)?;
    if proofs.iter().all(TableProof::is_equal) {
        target.note(&proved(&moved.traces))?;
    }
    moved.rows = proofs.iter().map(|proof| proof.target.rows).sum();
    moved.proofs = Some(proofs);
    Ok(moved)
}

/// The note that both sides were proved equal when the counters of the source stood so.
fn proved(traces: &[i64]) -> String {
    let numbers = traces.iter().map(i64::to_string);
    format!("{PROVED} {}", numbers.collect::<Vec<_>>().join(" "))
}

/// Where the counters stood then; `None` if it is no such note.
fn proved_at(note: &str) -> Option<Vec<i64>> {
    let numbers = note.strip_prefix(PROVED)?.split_whitespace();
    numbers.map(|number| number.parse().ok()).collect()
}

/// How far the counters of the source are: another place tells that somebody wrote meanwhile.
pub(crate) fn traces(source: &mut dyn BulkSource) -> Result<Vec<i64>, BulkError> {
    let counter = |name: &&str| {
        let counter = source.counter(&TableShape {
            name: (*name).to_owned(),
            columns: vec![("id".to_owned(), CellKind::Int)],
            key: vec![0],
        });
        Ok(counter?.unwrap_or_default())
    };
    TRACES.iter().map(counter).collect()
}
