//! Where a restore is put together before anything of it counts. The folder's being there tells every program that a restore
//! was begun and not finished.

use std::io;
use std::path::{Path, PathBuf};

use crm_host::DataDir;

use super::problem::{BackupProblem, RestoreProblem};
use crate::settings::{DataSettings, Database};
use crate::start_error::StartError;

/// The folder's name, beside the database file or in the data folder.
const NAME: &str = "restoring";
/// Says that everything in it is complete, and of which backup.
const COMPLETE: &str = "complete";

/// The folder.
pub(super) struct Staging {
    pub(super) dir: PathBuf,
    /// Whether an earlier restore had left it.
    pub(super) interrupted: bool,
}

/// Where a restore into these places is put together.
fn dir_of(data: &DataSettings) -> PathBuf {
    let beside = data.database.file().and_then(Path::parent);
    match beside {
        Some(dir) if !dir.as_os_str().is_empty() => dir.join(NAME),
        Some(_) => PathBuf::from(NAME),
        None => data.dir.join(NAME),
    }
}

/// Refuses to work where a restore was begun and not finished: no program may make a database there meanwhile. A database
/// server says so itself.
pub(crate) fn refuse_unfinished(data: &DataSettings) -> Result<(), StartError> {
    match &data.database {
        Database::File(file) if !file.exists() && dir_of(data).exists() => {
            Err(StartError::Restoring(dir_of(data)))
        }
        _ => Ok(()),
    }
}

impl Staging {
    /// Makes the folder, or takes over the one that an interrupted restore left. Without such a one nothing may be where the
    /// restored things go.
    pub(super) fn begin(data: &DataSettings) -> Result<Self, RestoreProblem> {
        let dir = dir_of(data);
        let interrupted = dir.exists();
        if let Database::File(file) = &data.database
            && file.exists()
        {
            return Err(RestoreProblem::NotEmpty(file.display().to_string()));
        }
        if !interrupted && has_entries(&data.files_dir).map_err(BackupProblem::folder(&data.files_dir))? {
            return Err(RestoreProblem::NotEmpty(data.files_dir.display().to_string()));
        }
        let made = DataDir::create(&dir);
        made.map_err(BackupProblem::folder(&dir))?;
        Ok(Self { dir, interrupted })
    }

    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Whether an interrupted restore had put all of this backup together.
    pub(super) fn is_complete(&self, backup: &str) -> bool {
        std::fs::read_to_string(self.join(COMPLETE)).is_ok_and(|text| text == backup)
    }

    /// Whether an interrupted restore had put all of a backup together: rows of it may lie in a database server already.
    pub(super) fn is_begun(&self) -> bool {
        self.interrupted && self.join(COMPLETE).exists()
    }

    /// Notes that all of the backup's rows are in the database: nothing is gone on with any more.
    pub(super) fn moved(&self) -> Result<(), BackupProblem> {
        let complete = self.join(COMPLETE);
        std::fs::remove_file(&complete).map_err(BackupProblem::folder(&complete))
    }

    /// Notes that all of this backup lies here.
    pub(super) fn complete(&self, backup: &str) -> io::Result<()> {
        let draft = self.join("complete.new");
        std::fs::write(&draft, backup)?;
        std::fs::File::open(&draft)?.sync_all()?;
        std::fs::rename(draft, self.join(COMPLETE))
    }

    /// Empties the folder of what an interrupted restore had put together.
    pub(super) fn clear(&self) -> Result<(), BackupProblem> {
        let emptied = std::fs::remove_dir_all(&self.dir).and_then(|()| DataDir::create(&self.dir).map(drop));
        emptied.map_err(BackupProblem::folder(&self.dir))
    }

    /// Takes the folder away: the restore is finished, or nothing was begun.
    pub(super) fn end(&self) -> Result<(), BackupProblem> {
        std::fs::remove_dir_all(&self.dir).map_err(BackupProblem::folder(&self.dir))
    }
}

fn has_entries(dir: &Path) -> io::Result<bool> {
    match std::fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
