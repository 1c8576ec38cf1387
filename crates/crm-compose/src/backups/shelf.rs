//! The folder of daily backups.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use crm_domain::backups::Taken;
use crm_domain::instant::Instant;
use crm_domain::ports::backup_shelf::{BackupShelf, ShelfPlace, ShelfProblem};
use crm_host::DataDir;
use crm_host::data_dir::disk_of;

use super::luggage::Luggage;
use super::problem::BackupProblem;
use super::taking::Workshop;
use crate::settings::{BackupSettings, Database};

/// How the names of daily backups begin and end; between them stands the time, so that they sort by it.
const BEGINS: &str = "crm-";
const ENDS: &str = ".tar.zst";
const SEALED: &str = ".age";

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

/// `crm-20250708024546.tar.zst`, or `….age` behind a passphrase.
fn name_at(at: Instant, encrypted: bool) -> String {
    let digits: String = at
        .to_string()
        .chars()
        .filter(char::is_ascii_digit)
        .take(14)
        .collect();
    format!("{BEGINS}{digits}{ENDS}{}", if encrypted { SEALED } else { "" })
}

fn is_daily(name: &str) -> bool {
    let bare = name.strip_suffix(SEALED).unwrap_or(name);
    let digits = bare.strip_prefix(BEGINS).and_then(|rest| rest.strip_suffix(ENDS));
    digits.is_some_and(|digits| digits.len() == 14 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The daily backups in a folder, newest first.
fn daily_in(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut names: Vec<String> = std::fs::read_dir(dir)?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| is_daily(name))
        .collect();
    names.sort_unstable_by(|one, other| other.cmp(one));
    Ok(names.into_iter().map(|name| dir.join(name)).collect())
}

#[async_trait]
impl BackupShelf for FolderShelf {
    async fn take(&self, at: Instant) -> Result<Taken, ShelfProblem> {
        let dir = self.backups_in();
        let made = DataDir::create(dir).map_err(BackupProblem::folder(dir));
        made.map_err(|problem| ShelfProblem::from(&problem))?;
        let passphrase = self.settings.passphrase.as_ref();
        let file = dir.join(name_at(at, passphrase.is_some()));
        let taken = self.workshop.take(&file, passphrase, &self.luggage).await;
        taken.map_err(|problem| ShelfProblem::from(&problem))
    }

    async fn tidy(&self) -> Result<usize, ShelfProblem> {
        let (dir, keep) = (self.backups_in().to_owned(), self.settings.keep.max(1));
        let tidied = tokio::task::spawn_blocking(move || {
            let mut gone = 0;
            for file in daily_in(&dir)?.into_iter().skip(keep) {
                std::fs::remove_file(file)?;
                gone += 1;
            }
            Ok::<_, std::io::Error>(gone)
        });
        let failed = |error: &dyn std::error::Error| ShelfProblem::new("folder", error);
        tidied
            .await
            .map_err(|error| failed(&error))?
            .map_err(|error| failed(&error))
    }

    async fn place(&self) -> ShelfPlace {
        let data = &self.workshop.data;
        let (dir, lies) = (
            data.backup_dir.clone(),
            match &data.database {
                Database::File(file) => file.parent().map(Path::to_owned),
                Database::Server(_) => None,
            },
        );
        let looked = tokio::task::spawn_blocking({
            let dir = dir.clone();
            move || {
                let lies = lies.and_then(|lies| disk_of(&lies).ok().flatten());
                lies.is_some() && lies == disk_of(&dir).ok().flatten()
            }
        });
        ShelfPlace {
            folder: dir.display().to_string(),
            same_disk: looked.await.unwrap_or_default(),
            encrypted: self.settings.passphrase.is_some(),
            keep: self.settings.keep,
            at: self.settings.at,
        }
    }
}

#[cfg(test)]
mod tests {
    use crm_domain::instant::Instant;

    use super::{daily_in, is_daily, name_at};

    #[test]
    fn daily_backups_are_known_by_their_names_and_sort_by_their_time() {
        let at = Instant::from_unix_millis(1_751_942_746_446);
        assert_eq!(name_at(at, false), "crm-20250708024546.tar.zst");
        assert!(is_daily(&name_at(at, true)));
        for other in [
            "crm-.tar.zst",
            "crm-2025070802454x.tar.zst",
            "my.tar.zst",
            "crm-20250708024546.tar",
        ] {
            assert!(!is_daily(other), "{other}");
        }
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "crm-20250707030000.tar.zst.age",
            "crm-20250708030000.tar.zst",
            "before-0026.db",
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = daily_in(folder.path()).unwrap();
        assert_eq!(found.len(), 2);
        assert!(found[0].ends_with("crm-20250708030000.tar.zst"));
    }
}
