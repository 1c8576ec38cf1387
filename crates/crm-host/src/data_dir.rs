//! The folder in which a server keeps what is its own.

use std::io;
use std::path::{Path, PathBuf};

/// The data folder: database, keys, spool, backups. Made for its owner only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// Makes the folder and its parents if they are missing (mode 0700); leaves an existing one as it is.
    pub fn create(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        Ok(Self(path))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A file or folder inside it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// The bytes that can still be written below this folder, or below the nearest one above it that exists; `None` where the
/// system does not say.
pub fn free_space(dir: &Path) -> io::Result<Option<u64>> {
    #[cfg(unix)]
    {
        let mut dir = std::path::absolute(dir)?;
        while !dir.exists() && dir.pop() {}
        let stat = rustix::fs::statvfs(&dir)?;
        Ok(Some(stat.f_bavail.saturating_mul(stat.f_frsize)))
    }
    #[cfg(not(unix))]
    {
        std::path::absolute(dir).map(|_| None)
    }
}

/// Whether accounts other than the owner's may read this; `false` where the system has no such notion.
pub(crate) fn others_may_read(file: &Path) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        Ok(std::fs::metadata(file)?.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        std::fs::metadata(file).map(|_| false)
    }
}

/// Options that make a file for its owner only.
pub(crate) fn private_file() -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The disk on which this folder lies, or the nearest one above it that exists, as a number that tells disks apart; `None`
/// where the system does not say.
pub fn disk_of(dir: &Path) -> io::Result<Option<u64>> {
    let mut dir = std::path::absolute(dir)?;
    while !dir.exists() && dir.pop() {}
    #[cfg(unix)]
    {
        Ok(Some(std::os::unix::fs::MetadataExt::dev(&dir.metadata()?)))
    }
    #[cfg(not(unix))]
    {
        dir.metadata().map(|_| None)
    }
}

/// Waits until the names in this folder are on the disk.
pub fn sync_folder(dir: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        std::fs::File::open(dir)?.sync_all()
    }
    #[cfg(not(unix))]
    {
        dir.metadata().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::{DataDir, free_space, others_may_read};

    #[test]
    fn a_new_folder_is_its_owners_only() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::create(temp.path().join("a/b")).unwrap();
        assert!(!others_may_read(dir.path()).unwrap());
        DataDir::create(dir.path()).unwrap();
        let free = free_space(&dir.join("not/there")).unwrap();
        assert!(free.is_none_or(|bytes| bytes > 0));
    }
}
