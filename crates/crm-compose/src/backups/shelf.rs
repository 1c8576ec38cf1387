//! The folder of daily backups.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use crm_domain::backups::Taken;
use crm_domain::instant::Instant;
use crm_domain::ports::backup_shelf::{BackupShelf, ShelfPlace, ShelfProblem};
use crm_host::DataDir;
use crm_host::data_dir::disk_of;
use time::Duration;

use super::before;
use super::luggage::Luggage;
use super::names::{Daily, files_in};
use super::problem::BackupProblem;
use super::taking::Workshop;
use crate::settings::{BackupSettings, Database};

/// The folder of the settings.
pub struct FolderShelf {
    workshop: Arc<Workshop>,
    settings: BackupSettings,
    luggage: Luggage,
}

impl FolderShelf {
    /// Of these settings.
    pub(crate) fn new(workshop: Arc<Workshop>, settings: BackupSettings, luggage: Luggage) -> Self {
        Self {
            workshop,
            settings,
            luggage,
        }
    }

    fn backups_in(&self) -> &Path {
        &self.workshop.data.backup_dir
    }
}

/// Throws away the daily backups of this installation that are too many. Those that it knows go in the order in which they
/// were taken, whatever their names say; the first one stays, and one that lacks fewer files than all that stay. Others of
/// ours (the database was put back from an older backup, and knows nothing of them) go when they are older than all that
/// stay. What others put into the folder is left alone.
fn tidy_daily(workshop: &Workshop, keep: usize, known: &[Taken]) -> std::io::Result<usize> {
    let dir = &workshop.data.backup_dir;
    let own_folder = dir.starts_with(&workshop.data.dir);
    let mut found = files_in(dir, Daily::parse)?;
    let mut mine = Vec::new();
    for taken in known {
        let is_it = |file: &Path| {
            file.file_name() == Path::new(&taken.file).file_name()
                && file.metadata().is_ok_and(|meta| meta.len() == taken.size)
        };
        if let Some(place) = found.iter().position(|(file, _)| is_it(file)) {
            mine.push((found.swap_remove(place), taken.missing_files));
        }
    }
    let mut surplus = mine.split_off(keep.min(mine.len()));
    spare_the_wholest(&mine, &mut surplus);
    let oldest = mine.iter().map(|((_, daily), _)| daily.at.clone()).min();
    let ours = |daily: &Daily| match &daily.of {
        Some(installation) => *installation == workshop.installation,
        None => own_folder,
    };
    let full = mine.len() == keep;
    let forgotten = found
        .into_iter()
        .filter(|(_, daily)| full && ours(daily) && oldest.as_ref().is_some_and(|oldest| daily.at < *oldest));
    let mut gone = 0;
    let surplus = surplus.into_iter().map(|(file, _)| file);
    for (file, _) in surplus.chain(forgotten) {
        std::fs::remove_file(file)?;
        gone += 1;
    }
    Ok(gone)
}

/// Leaves out of what is to go the newest of those that lack the fewest files, if all that stay lack more: a folder of files
/// that was not there for days must not push out the last whole backup.
fn spare_the_wholest<T>(stay: &[(T, u64)], surplus: &mut Vec<(T, u64)>) {
    let fewest = stay.iter().map(|(_, missing)| *missing).min().unwrap_or_default();
    let found = surplus
        .iter()
        .enumerate()
        .min_by_key(|(_, (_, missing))| *missing);
    if let Some((place, _)) = found.filter(|(_, (_, missing))| *missing < fewest) {
        surplus.remove(place);
    }
}

#[async_trait]
impl BackupShelf for FolderShelf {
    async fn take(&self, at: Instant) -> Result<Taken, ShelfProblem> {
        let dir = self.backups_in();
        let made = DataDir::create(dir).map_err(BackupProblem::folder(dir));
        made.map_err(|problem| ShelfProblem::from(&problem))?;
        let passphrase = self.settings.passphrase.as_ref();
        let named = |at| dir.join(Daily::name(at, &self.workshop.installation, passphrase.is_some()));
        let (mut at, mut file) = (at, named(at));
        // Somebody may ask for one in the second in which another was taken.
        while file.exists() {
            at = at.plus(Duration::SECOND);
            file = named(at);
        }
        let taken = self.workshop.take(&file, passphrase, &self.luggage).await;
        taken.map_err(|problem| ShelfProblem::from(&problem))
    }

    async fn tidy(&self, known: &[Taken], at: Instant) -> Result<usize, ShelfProblem> {
        let (workshop, keep) = (Arc::clone(&self.workshop), self.settings.keep.max(1));
        let known = known.to_vec();
        let tidied = tokio::task::spawn_blocking(move || {
            let daily = tidy_daily(&workshop, keep, &known)?;
            Ok::<_, std::io::Error>(daily + before::tidy(&workshop, keep, at, None)?)
        });
        let failed = |error: &dyn std::error::Error| ShelfProblem::new("folder", error);
        tidied
            .await
            .map_err(|error| failed(&error))?
            .map_err(|error| failed(&error))
    }

    fn folder(&self) -> Option<String> {
        let dir = self.backups_in();
        let whole = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        (self.settings.keep > 0).then(|| whole.display().to_string())
    }

    async fn place(&self) -> ShelfPlace {
        let workshop = Arc::clone(&self.workshop);
        let looked = tokio::task::spawn_blocking(move || {
            (shares_a_disk(&workshop), seen_in(&workshop.data.backup_dir))
        });
        let (same_disk, files) = looked.await.unwrap_or_default();
        ShelfPlace {
            folder: self.backups_in().display().to_string(),
            same_disk,
            encrypted: self.settings.passphrase.is_some(),
            keep: self.settings.keep,
            at: self.settings.at,
            files: Some(files),
        }
    }
}

/// Whether backups lie on the disk of the data folder, of the database, or of the received files. What a database server
/// has on its disks is not known here.
fn shares_a_disk(workshop: &Workshop) -> bool {
    let data = &workshop.data;
    let disk = |dir: &Path| disk_of(dir).ok().flatten();
    let Some(backups) = disk(&data.backup_dir) else {
        return false;
    };
    let beside = match &data.database {
        Database::File(file) => vec![file.parent(), Some(data.files_dir.as_path())],
        Database::Server(_) => Vec::new(),
    };
    let mut lies = beside.into_iter().flatten().chain([data.dir.as_path()]);
    lies.any(|dir| disk(dir) == Some(backups))
}

/// Name and bytes of the files in a folder; none if it cannot be looked into.
fn seen_in(dir: &Path) -> Vec<(String, u64)> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Vec::new();
    };
    let seen = entries.flatten().filter_map(|entry| {
        let size = entry.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
        Some((entry.file_name().into_string().ok()?, size))
    });
    seen.collect()
}
