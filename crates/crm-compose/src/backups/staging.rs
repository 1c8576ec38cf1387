//! Where a restore is put together before anything of it counts. The folder's being there tells every program that a restore
//! was begun and not finished.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crm_archive::Member;
use crm_host::DataDir;

use super::problem::{BackupProblem, RestoreProblem};
use super::scratch;
use super::taking::private;
use crate::settings::{DataSettings, Database};
use crate::start_error::StartError;

/// The folder's name, beside the database file or in the data folder.
const NAME: &str = "restoring";
/// Says that everything in it is complete, and of which backup.
const COMPLETE: &str = "complete";
/// Says into which folder the files go: what lies there is this restore's.
const INTO: &str = "into";
/// Names the files that were written elsewhere, each after the hash of what is in it.
const PLACED: &str = "placed";
/// Where files are put together, in the folder into which they go: that may be a disk of its own.
const FILES: &str = ".restoring";
/// What the root of a disk has by itself.
const OF_DISKS: &str = "lost+found";
/// What belongs to a database file and is read with it.
const SIDES: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The folder.
pub(super) struct Staging {
    pub(super) dir: PathBuf,
    /// Where files are put together.
    pub(super) files: PathBuf,
    /// Whether an earlier restore had left it.
    pub(super) interrupted: bool,
    /// The folder into which files go beside a database file, and whether it was there before.
    into: Option<(PathBuf, bool)>,
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
/// server says so itself. What a finished one could not take away any more goes now, and what killed programs left of
/// backups: both hold a database as it is.
pub(crate) fn refuse_unfinished(data: &DataSettings) -> Result<(), StartError> {
    let dir = dir_of(data);
    // If there is no data folder yet, nothing is in it.
    drop(scratch::clear(&data.dir));
    match &data.database {
        Database::File(file) if dir.exists() => {
            if !file.exists() {
                return Err(StartError::Restoring(dir));
            }
            // If it cannot go now, the next program tries again.
            drop(std::fs::remove_dir_all(dir));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Nothing may be where the database goes, also none of what SQLite keeps beside one: it would be read with the new one.
pub(super) fn refuse_database(data: &DataSettings) -> Result<(), RestoreProblem> {
    let Database::File(file) = &data.database else {
        return Ok(());
    };
    let mut all = std::iter::once(file.clone()).chain(sides(file));
    match all.find(|file| file.symlink_metadata().is_ok()) {
        Some(there) => Err(RestoreProblem::NotEmpty(there.display().to_string())),
        None => Ok(()),
    }
}

/// Refuses to make a database file where parts of one are left: SQLite would throw away what is in them.
pub(crate) fn refuse_leftover(file: &Path) -> Result<(), StartError> {
    if file.symlink_metadata().is_ok() {
        return Ok(());
    }
    match sides(file).find(|side| side.symlink_metadata().is_ok()) {
        Some(left) => Err(StartError::Leftover {
            file: file.to_owned(),
            left,
        }),
        None => Ok(()),
    }
}

fn sides(file: &Path) -> impl Iterator<Item = PathBuf> {
    SIDES.iter().map(|side| {
        let mut name = file.as_os_str().to_owned();
        name.push(side);
        PathBuf::from(name)
    })
}

impl Staging {
    /// Makes the folder, or takes over the one that an interrupted restore left. Without such a one nothing may be where the
    /// restored things go.
    pub(super) fn begin(data: &DataSettings) -> Result<Self, RestoreProblem> {
        let dir = dir_of(data);
        let interrupted = dir.exists();
        refuse_database(data)?;
        let folder = BackupProblem::folder(&data.files_dir);
        let files_dir = std::path::absolute(&data.files_dir).map_err(folder)?;
        let own = interrupted && goes_into(&dir, &files_dir);
        if !own && has_entries(&files_dir).map_err(BackupProblem::folder(&files_dir))? {
            return Err(RestoreProblem::NotEmpty(data.files_dir.display().to_string()));
        }
        let is_file = data.database.file().is_some();
        let staging = Self {
            files: if is_file {
                files_dir.join(FILES)
            } else {
                dir.join("files")
            },
            into: is_file.then(|| {
                let there = files_dir.exists();
                (files_dir, there)
            }),
            dir,
            interrupted,
        };
        staging.make().map_err(BackupProblem::folder(&staging.dir))?;
        Ok(staging)
    }

    fn make(&self) -> io::Result<()> {
        DataDir::create(&self.dir)?;
        match &self.into {
            Some((files_dir, _)) => std::fs::write(self.join(INTO), files_dir.as_os_str().as_encoded_bytes()),
            None => Ok(()),
        }
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

    /// Writes a file elsewhere that only its owner may read: all of it, or nothing. One that is there stays, and is not
    /// answered unless it is the same.
    pub(super) fn place(&self, path: &Path, text: &str) -> io::Result<Option<PathBuf>> {
        if path.symlink_metadata().is_ok() {
            let same = std::fs::read_to_string(path).is_ok_and(|there| there.trim() == text.trim());
            return Ok(same.then(|| path.to_owned()));
        }
        let text = format!("{}\n", text.trim_end());
        self.note(path, text.as_bytes())?;
        let draft = draft_of(&std::path::absolute(path)?);
        remove(&draft)?;
        let mut file = private(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        let draft = tempfile::TempPath::try_from_path(draft)?;
        draft.persist_noclobber(path).map_err(|failed| failed.error)?;
        Ok(Some(path.to_owned()))
    }

    /// Notes what is written elsewhere, so that it can be taken back.
    pub(super) fn note(&self, path: &Path, text: &[u8]) -> io::Result<()> {
        let path = std::path::absolute(path)?;
        let hash = Member::of("", text)?.sha256;
        let mut options = std::fs::OpenOptions::new();
        let mut list = options.append(true).create(true).open(self.join(PLACED))?;
        list.write_all(format!("{hash} {}\n", path.display()).as_bytes())?;
        list.sync_all()
    }

    /// Moves the files to where they belong, and says so to the disk.
    pub(super) fn move_files(&self) -> io::Result<()> {
        let Some((files_dir, _)) = self.into.as_ref().filter(|_| self.files.exists()) else {
            return Ok(());
        };
        for entry in std::fs::read_dir(&self.files)? {
            let entry = entry?;
            std::fs::rename(entry.path(), files_dir.join(entry.file_name()))?;
        }
        std::fs::remove_dir(&self.files)?;
        crm_host::data_dir::sync_folder(files_dir)
    }

    /// Takes back everything that was put elsewhere, by this run or an interrupted one.
    fn take_back(&self) -> io::Result<()> {
        let list = std::fs::read_to_string(self.join(PLACED)).unwrap_or_default();
        for (hash, path) in list.lines().filter_map(|line| line.split_once(' ')) {
            let path = Path::new(path);
            remove(&draft_of(path))?;
            let is_ours =
                |bytes: Vec<u8>| Member::of("", bytes.as_slice()).is_ok_and(|now| now.sha256 == hash);
            if std::fs::read(path).is_ok_and(is_ours) {
                remove(path)?;
            }
        }
        if let Some((files_dir, was_there)) = &self.into {
            for entry in entries(files_dir)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    std::fs::remove_dir_all(entry.path())?;
                } else {
                    remove(&entry.path())?;
                }
            }
            if !was_there && files_dir.exists() {
                std::fs::remove_dir(files_dir)?;
            }
        }
        Ok(())
    }

    /// Empties the folder of what an interrupted restore had put together, and takes back what it had put elsewhere.
    pub(super) fn clear(&self) -> Result<(), BackupProblem> {
        let cleared = self.take_back().and_then(|()| {
            for entry in std::fs::read_dir(&self.dir)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    std::fs::remove_dir_all(entry.path())?;
                } else if entry.file_name() != INTO {
                    std::fs::remove_file(entry.path())?;
                }
            }
            self.make()
        });
        cleared.map_err(BackupProblem::folder(&self.dir))
    }

    /// Leaves nothing of what was begun. One into a file that was interrupted before stays to be done: no program may make
    /// an empty database there meanwhile.
    pub(super) fn abandon(&self) {
        let left = self.clear().and_then(|()| {
            let stays = self.interrupted && self.into.is_some();
            if stays { Ok(()) } else { self.end() }
        });
        if let Err(error) = left {
            tracing::warn!(%error, "what a failed restore left could not be removed; the next one removes it");
        }
    }

    /// Takes the folder away: the restore is finished, or nothing was begun.
    pub(super) fn end(&self) -> Result<(), BackupProblem> {
        match std::fs::remove_dir_all(&self.dir) {
            // A program that was started meanwhile took it away.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            ended => ended.map_err(BackupProblem::folder(&self.dir)),
        }
    }
}

/// Whether the interrupted restore in this folder put its files into that one; those of earlier versions did not say.
fn goes_into(dir: &Path, files_dir: &Path) -> bool {
    match std::fs::read(dir.join(INTO)) {
        Ok(noted) => noted == files_dir.as_os_str().as_encoded_bytes(),
        Err(_) => true,
    }
}

/// Where a file is written before it is whole.
fn draft_of(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// What is in a folder, if there is one.
fn entries(dir: &Path) -> io::Result<impl Iterator<Item = io::Result<std::fs::DirEntry>>> {
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        read => Some(read?),
    };
    let own = |entry: &io::Result<std::fs::DirEntry>| {
        entry.as_ref().map_or(true, |entry| entry.file_name() != OF_DISKS)
    };
    Ok(entries.into_iter().flatten().filter(own))
}

fn has_entries(dir: &Path) -> io::Result<bool> {
    Ok(entries(dir)?.next().transpose()?.is_some())
}
