//! A restored store to where it belongs: settings and keys first, then the files, and the database last.

use std::io;
use std::path::{Path, PathBuf};

use crm_domain::ports::erased::{Erased, ErasedList as _};
use crm_host::ErasedFile;
use crm_host::data_dir::sync_folder;
use secrecy::ExposeSecret as _;

use super::luggage::Luggage;
use super::problem::{BackupProblem, RestoreProblem};
use super::sealing::Sealing;
use super::staging::{Staging, refuse_database};
use crate::settings::{DataSettings, Database};

/// The settings of a backup, in the data folder.
const SETTINGS: &str = "restored.env";
/// The private key of a backup, in the data folder.
const PRIVATE_KEY: &str = "private.key";

/// Settings and keys of the backup, into the data folder; nothing that is there is overwritten. Says where the settings and
/// the private key are, if this wrote them.
pub(super) fn beside(
    staging: &Staging,
    data: &DataSettings,
    luggage: &Luggage,
    sealing: &Sealing,
) -> io::Result<(Option<PathBuf>, Option<PathBuf>)> {
    if sealing.is_new && data.database.file().is_some() {
        let file = data.secret_key_file();
        // One that is there and could not be read is not the key that everything is under now.
        let placed = staging.place(&file, sealing.key.expose_secret())?;
        placed.ok_or_else(|| io::Error::other(format!("{} cannot be read", file.display())))?;
    }
    let mut private_key = None;
    if let Some(key) = &luggage.private_key {
        private_key = staging.place(&data.dir.join(PRIVATE_KEY), key.expose_secret())?;
    }
    let mut settings = None;
    if let Some(text) = &luggage.settings {
        let mut lines = target_lines(data);
        if let Some(file) = &private_key {
            let file = std::path::absolute(file)?;
            lines.push(("LINE_WORKS_PRIVATE_KEY_FILE", file.display().to_string()));
        }
        let text = crate::settings::merged_dot_env(text.expose_secret(), &lines);
        settings = staging.place(&data.dir.join(SETTINGS), &text)?;
    }
    sync_folder(&data.dir)?;
    Ok((settings, private_key))
}

/// What names a database server and its key: without these lines the settings of the backup, put in place as they are,
/// would lead to an empty file.
fn target_lines(data: &DataSettings) -> Vec<(&'static str, String)> {
    let Database::Server(server) = &data.database else {
        return Vec::new();
    };
    let mut lines = vec![("CRM_DATABASE_URL", server.url.expose_secret().to_owned())];
    if let Some(key) = &data.secret_key {
        lines.push(("CRM_SECRET_KEY", key.expose_secret().to_owned()));
    }
    lines
}

/// Whoever was erased by the backup's store is on the list of the target too.
pub(super) async fn add_erased(staging: &Staging, data: &DataSettings, erased: &[Erased]) -> io::Result<()> {
    let list = ErasedFile::new(&data.dir);
    let there = list.all().await?;
    let is_new = |one: &&Erased| !there.contains(one);
    let new: Vec<_> = erased.iter().filter(is_new).cloned().collect();
    if new.is_empty() {
        return Ok(());
    }
    list.add(&new).await?;
    if there.is_empty() {
        staging.note(list.path(), &std::fs::read(list.path())?)?;
    }
    Ok(())
}

/// The database last: what there is without it is no store.
pub(super) fn put_in_place(staging: &Staging, data: &DataSettings) -> Result<(), RestoreProblem> {
    refuse_database(data)?;
    let moved = staging.move_files();
    moved.map_err(BackupProblem::folder(&data.files_dir))?;
    let Some(file) = data.database.file() else {
        return Ok(());
    };
    let placed = place_database(&staging.join("crm.db"), file);
    placed.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => RestoreProblem::NotEmpty(file.display().to_string()),
        _ => BackupProblem::folder(file)(error).into(),
    })
}

fn place_database(staged: &Path, file: &Path) -> io::Result<()> {
    let staged = tempfile::TempPath::try_from_path(std::path::absolute(staged)?)?;
    staged.persist_noclobber(file).map_err(|failed| failed.error)?;
    let folder = file.parent().filter(|dir| !dir.as_os_str().is_empty());
    sync_folder(folder.unwrap_or(Path::new(".")))
}
