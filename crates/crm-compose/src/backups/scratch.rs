//! Folders of their own in which backups are put together and looked through. They hold a database as it is, so that those
//! that killed programs left are removed: each is locked as long as its program lives.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use crm_archive::Passphrase;
use crm_host::DataDir;
use tempfile::TempDir;

use super::problem::BackupProblem;
use super::taking::private;

/// How their names begin.
const NAME: &str = ".crm-backup-";
/// The file in each that is locked.
const LOCK: &str = "lock";
/// One that is so old was left by a crash, where it cannot be told by its lock.
const LEFT: Duration = Duration::from_hours(48);

/// A folder that nobody else can read, and that goes with this.
pub(super) struct Scratch {
    _lock: Option<File>,
    dir: TempDir,
}

impl Scratch {
    /// One in this folder, and none of those that a crash left there.
    pub(super) fn within(folder: &Path) -> Result<Self, BackupProblem> {
        clear(folder).map_err(BackupProblem::folder(folder))?;
        let dir = private_dir(folder).map_err(BackupProblem::folder(folder))?;
        let lock = lock_in(dir.path()).map_err(BackupProblem::folder(folder))?;
        Ok(Self { _lock: lock, dir })
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }
}

fn private_dir(folder: &Path) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(NAME);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir_in(folder)
}

/// Locked before it has the name by which others look at it. Not every disk knows locks.
fn lock_in(dir: &Path) -> io::Result<Option<File>> {
    let draft = dir.join("lock.new");
    let file = private(&draft)?;
    if file.try_lock().is_err() {
        return Ok(None);
    }
    std::fs::rename(draft, dir.join(LOCK))?;
    Ok(Some(file))
}

/// Removes what killed programs left in this folder; what cannot be removed now is the next time.
pub(super) fn clear(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(NAME) {
            clear_one(&entry.path());
        }
    }
    Ok(())
}

fn clear_one(dir: &Path) {
    let lock = File::open(dir.join(LOCK)).map(|file| (file.try_lock(), file));
    let is_left = match &lock {
        Ok((Ok(()), _)) => true,
        Ok((Err(TryLockError::WouldBlock), _)) => false,
        Ok((Err(TryLockError::Error(_)), _)) | Err(_) => is_old(dir),
    };
    if is_left {
        drop(std::fs::remove_dir_all(dir));
    }
}

fn is_old(dir: &Path) -> bool {
    let changed = dir.metadata().and_then(|meta| meta.modified()).ok();
    changed
        .and_then(|at| at.elapsed().ok())
        .is_some_and(|age| age > LEFT)
}

/// Where a backup that is about to be written into `folder` is put together: behind a passphrase nothing may lie there as it
/// is, so that the data folder is taken.
pub(super) fn for_taking(
    folder: &Path,
    data_dir: &Path,
    passphrase: Option<&Passphrase>,
) -> Result<(Scratch, Option<Scratch>), BackupProblem> {
    let beside = Scratch::within(folder)?;
    if passphrase.is_none() {
        return Ok((beside, None));
    }
    DataDir::create(data_dir).map_err(BackupProblem::folder(data_dir))?;
    Ok((beside, Some(Scratch::within(data_dir)?)))
}

/// Where a backup is unpacked while it is looked through. What a passphrase protects goes into the data folder, or where there
/// cannot be written into the system's folder for such things; what is open anyway beside the file, if that can be written.
pub(super) fn for_verifying(
    file: &Path,
    encrypted: bool,
    data_dir: Option<&Path>,
) -> Result<Scratch, BackupProblem> {
    if !encrypted {
        let beside = file.parent().filter(|dir| !dir.as_os_str().is_empty());
        if let Ok(scratch) = Scratch::within(beside.unwrap_or(Path::new("."))) {
            return Ok(scratch);
        }
    }
    if let Some(dir) = data_dir.filter(|dir| dir.is_dir())
        && let Ok(scratch) = Scratch::within(dir)
    {
        return Ok(scratch);
    }
    Scratch::within(&std::env::temp_dir())
}

#[cfg(test)]
mod tests {
    use super::{NAME, Scratch, clear, for_verifying};

    #[test]
    fn what_a_killed_program_left_goes_and_what_works_stays() {
        let folder = tempfile::tempdir().unwrap();
        let works = Scratch::within(folder.path()).unwrap();
        std::fs::write(works.path().join("crm.db"), "a database").unwrap();
        let killed = folder.path().join(format!("{NAME}killed"));
        let begun = folder.path().join(format!("{NAME}begun"));
        for dir in [&killed, &begun] {
            std::fs::create_dir(dir).unwrap();
            std::fs::write(dir.join("crm.db"), "a database").unwrap();
        }
        std::fs::write(killed.join("lock"), "").unwrap();
        std::fs::write(folder.path().join("other"), "").unwrap();
        clear(folder.path()).unwrap();
        assert!(works.path().join("crm.db").exists());
        assert!(!killed.exists(), "nobody holds its lock");
        assert!(begun.exists(), "it may be about to be locked");
        let path = works.path().to_owned();
        drop(works);
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn they_are_their_owners_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let data = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup");
        let sealed = for_verifying(&file, true, Some(data.path())).unwrap();
        assert_eq!(sealed.path().parent(), Some(data.path()));
        let nowhere = for_verifying(&file, true, Some(&data.path().join("none"))).unwrap();
        assert_eq!(nowhere.path().parent(), Some(std::env::temp_dir().as_path()));
        let open = for_verifying(&file, false, Some(data.path())).unwrap();
        assert_eq!(open.path().parent(), Some(folder.path()));
        for scratch in [sealed, nowhere, open] {
            assert_eq!(
                scratch.path().metadata().unwrap().permissions().mode() & 0o777,
                0o700
            );
        }
    }
}
