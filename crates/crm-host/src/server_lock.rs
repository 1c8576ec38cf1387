//! The lock that says that a server works on a store, so that nobody else sends from it.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::data_dir::private_file;

/// Held as long as it lives; the operating system frees it when the process ends, however it ends.
#[derive(Debug)]
pub struct ServerLock {
    _file: File,
}

/// Why the lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("another process{} works on this store ({})", named(*.pid), .file.display())]
    Held {
        /// Its process id, if the file tells.
        pid: Option<u32>,
        /// The lock file.
        file: PathBuf,
    },
    /// The lock file cannot be used.
    #[error("the lock file {} cannot be used: {source}", .file.display())]
    File {
        /// The lock file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn named(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" ({pid})")).unwrap_or_default()
}

impl ServerLock {
    /// The lock file of a database file: beside it, so that two settings of one store share it.
    pub fn file_of(database: &Path) -> PathBuf {
        let mut name = database.file_name().unwrap_or_default().to_os_string();
        name.push(".lock");
        database.with_file_name(name)
    }

    /// Takes the lock and notes who holds it. Tries for half a second, since whoever only asks holds it for a moment.
    pub fn acquire(file: &Path) -> Result<Self, LockError> {
        let mut handle = open(file)?;
        for _ in 0..10 {
            match handle.try_lock() {
                Ok(()) => {
                    note_holder(&mut handle).map_err(|source| failed(file, source))?;
                    return Ok(Self { _file: handle });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(50)),
                Err(TryLockError::Error(source)) => return Err(failed(file, source)),
            }
        }
        Err(LockError::Held {
            pid: holder(&mut handle),
            file: file.to_owned(),
        })
    }

    /// Whether somebody holds the lock now; takes nothing and makes no file.
    pub fn is_held(file: &Path) -> Result<bool, LockError> {
        let handle = match File::open(file) {
            Ok(handle) => handle,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(failed(file, source)),
        };
        match handle.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(source)) => Err(failed(file, source)),
        }
    }
}

fn open(file: &Path) -> Result<File, LockError> {
    private_file()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(file)
        .map_err(|source| failed(file, source))
}

fn failed(file: &Path, source: io::Error) -> LockError {
    LockError::File {
        file: file.to_owned(),
        source,
    }
}

fn note_holder(handle: &mut File) -> io::Result<()> {
    handle.set_len(0)?;
    handle.rewind()?;
    writeln!(handle, "{}", std::process::id())
}

fn holder(handle: &mut File) -> Option<u32> {
    let mut text = String::new();
    handle.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{LockError, ServerLock};
    use std::path::Path;

    #[test]
    fn a_second_holder_is_refused_and_told_who_has_it() {
        let temp = tempfile::tempdir().unwrap();
        let file = ServerLock::file_of(&temp.path().join("crm.db"));
        assert!(file.ends_with("crm.db.lock"));
        assert!(!ServerLock::is_held(&file).unwrap());
        let held = ServerLock::acquire(&file).unwrap();
        assert!(ServerLock::is_held(&file).unwrap());
        let refused = ServerLock::acquire(&file).unwrap_err();
        assert!(matches!(refused, LockError::Held { pid: Some(pid), .. } if pid == std::process::id()));
        drop(held);
        assert!(!ServerLock::is_held(&file).unwrap());
        ServerLock::acquire(&file).unwrap();
    }

    #[test]
    fn a_folder_that_does_not_exist_is_said() {
        assert!(matches!(
            ServerLock::acquire(Path::new("/nonexistent/x.lock")),
            Err(LockError::File { .. })
        ));
    }
}
