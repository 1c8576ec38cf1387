//! Blobs as files: each content once, under its SHA-256, within a quota.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crm_domain::ports::blobs::{Blob, BlobDraft, BlobError, BlobHash, Blobs};
use ring::digest::{Context, SHA256};

use crate::data_dir::{DataDir, private_file};

/// Where contents on their way in lie; what is found there at the start was left by a crash.
const DRAFTS: &str = "drafts";

/// A folder of contents: `ab/cdef…` below it is the content whose hash begins with `ab`. One process writes it.
#[derive(Debug, Clone)]
pub struct FolderBlobs(Arc<Folder>);

#[derive(Debug)]
struct Folder {
    dir: PathBuf,
    quota: u64,
    /// What all contents and drafts take; counted when first asked for.
    used: Mutex<Option<u64>>,
    next_draft: AtomicU64,
}

impl FolderBlobs {
    /// Contents below this folder, together at most `quota` bytes. Nothing is made or looked at before it is needed.
    pub fn new(dir: PathBuf, quota: u64) -> Self {
        Self(Arc::new(Folder {
            dir,
            quota,
            used: Mutex::new(None),
            next_draft: AtomicU64::new(0),
        }))
    }
}

impl Folder {
    fn path_of(&self, hash: &BlobHash) -> PathBuf {
        let digits = hash.to_string();
        let (folder, name) = digits.split_at(2);
        self.dir.join(folder).join(name)
    }

    /// Takes so many bytes of the quota.
    fn take(&self, bytes: u64) -> Result<(), BlobError> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let before = if let Some(used) = *used {
            used
        } else {
            self.clear_drafts()?;
            weight(&self.dir)?
        };
        let after = before.saturating_add(bytes);
        let fits = after <= self.quota;
        *used = Some(if fits { after } else { before });
        if fits { Ok(()) } else { Err(BlobError::Full) }
    }

    fn give_back(&self, bytes: u64) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        *used = used.map(|used| used.saturating_sub(bytes));
    }

    fn clear_drafts(&self) -> io::Result<()> {
        for entry in entries(&self.dir.join(DRAFTS))? {
            fs::remove_file(entry?.path())?;
        }
        Ok(())
    }

    fn new_draft(&self) -> io::Result<(PathBuf, File)> {
        let drafts = self.dir.join(DRAFTS);
        DataDir::create(&drafts)?;
        let number = self.next_draft.fetch_add(1, Ordering::Relaxed);
        let path = drafts.join(number.to_string());
        let file = private_file()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)?;
        Ok((path, file))
    }
}

/// The entries of a folder; none if it is not there.
fn entries(dir: &Path) -> io::Result<impl Iterator<Item = io::Result<fs::DirEntry>>> {
    match fs::read_dir(dir) {
        Ok(entries) => Ok(Some(entries).into_iter().flatten()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None.into_iter().flatten()),
        Err(error) => Err(error),
    }
}

/// The bytes of all files in the folders of this folder.
fn weight(dir: &Path) -> io::Result<u64> {
    let mut sum = 0;
    for folder in entries(dir)? {
        let folder = folder?;
        if folder.file_type()?.is_dir() {
            for file in entries(&folder.path())? {
                sum += file?.metadata()?.len();
            }
        }
    }
    Ok(sum)
}

impl Blobs for FolderBlobs {
    fn begin(&self) -> Result<Box<dyn BlobDraft>, BlobError> {
        // Counts first: that clears what an earlier run left.
        self.0.take(0)?;
        let (path, file) = self.0.new_draft()?;
        Ok(Box::new(Draft {
            folder: Arc::clone(&self.0),
            path,
            file,
            hash: Context::new(&SHA256),
            size: 0,
            counted: 0,
        }))
    }

    fn open(&self, hash: &BlobHash) -> Result<Option<Box<dyn io::Read + Send>>, BlobError> {
        match File::open(self.0.path_of(hash)) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

struct Draft {
    folder: Arc<Folder>,
    path: PathBuf,
    file: File,
    hash: Context,
    size: u64,
    /// What of the quota it gives back when it is dropped.
    counted: u64,
}

impl Draft {
    /// Moves the file to its place, or leaves the one that is there; says whether it was new.
    fn place(&mut self, hash: &BlobHash) -> io::Result<bool> {
        self.file.sync_all()?;
        let path = self.folder.path_of(hash);
        if fs::metadata(&path).is_ok_and(|there| there.len() == self.size) {
            return Ok(false);
        }
        let folder = path.parent().unwrap_or(&self.folder.dir);
        DataDir::create(folder)?;
        fs::rename(&self.path, &path)?;
        sync_folder(folder)?;
        sync_folder(&self.folder.dir)?;
        Ok(true)
    }
}

impl BlobDraft for Draft {
    fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        let count = bytes.len() as u64;
        self.folder.take(count)?;
        self.counted += count;
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.size += count;
        Ok(())
    }

    fn keep(mut self: Box<Self>) -> Result<Blob, BlobError> {
        let mut hash = BlobHash([0; 32]);
        let digest = self.hash.clone().finish();
        for (byte, digit) in hash.0.iter_mut().zip(digest.as_ref()) {
            *byte = *digit;
        }
        if self.place(&hash)? {
            self.counted = 0;
        }
        Ok(Blob {
            hash,
            size: self.size,
        })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.folder.give_back(self.counted);
        // Gone already when it was kept; what cannot be removed now is at the next start.
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes a name in a folder survive a power failure, where the system can.
fn sync_folder(dir: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        File::open(dir)?.sync_all()
    }
    #[cfg(not(unix))]
    {
        fs::metadata(dir).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use crm_domain::ports::blobs::{Blob, BlobError, Blobs as _};

    use super::{FolderBlobs, weight};

    fn keep(blobs: &FolderBlobs, bytes: &[u8]) -> Result<Blob, BlobError> {
        let mut draft = blobs.begin()?;
        for piece in bytes.chunks(3) {
            draft.write(piece)?;
        }
        draft.keep()
    }

    #[test]
    fn a_content_is_kept_once_under_its_hash() {
        let temp = tempfile::tempdir().unwrap();
        let blobs = FolderBlobs::new(temp.path().join("files"), 1_000);
        let first = keep(&blobs, b"abc").unwrap();
        assert_eq!(
            (first.hash.to_string().as_str(), first.size),
            (
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                3
            )
        );
        assert_eq!(keep(&blobs, b"abc").unwrap(), first);
        let mut read = Vec::new();
        let mut reader = blobs.open(&first.hash).unwrap().unwrap();
        reader.read_to_end(&mut read).unwrap();
        assert_eq!(read, b"abc");
        assert_eq!(weight(&temp.path().join("files")).unwrap(), 3, "no draft is left");
        let empty = keep(&blobs, b"").unwrap();
        assert_eq!(empty.size, 0);
    }

    #[test]
    fn what_is_not_kept_leaves_nothing_and_nothing_is_found_that_was_not_kept() {
        let temp = tempfile::tempdir().unwrap();
        let blobs = FolderBlobs::new(temp.path().to_owned(), 10);
        let hash = keep(&blobs, b"abc").unwrap().hash;
        let mut draft = blobs.begin().unwrap();
        draft.write(b"1234567").unwrap();
        assert!(matches!(draft.write(b"8"), Err(BlobError::Full)));
        drop(draft);
        assert_eq!(weight(temp.path()).unwrap(), 3);
        assert_eq!(keep(&blobs, b"1234567").unwrap().size, 7, "given back");
        assert!(matches!(keep(&blobs, b"8"), Err(BlobError::Full)));
        assert_eq!(keep(&blobs, b"").unwrap().size, 0);
        let other = FolderBlobs::new(temp.path().join("none"), 10);
        assert!(other.open(&hash).unwrap().is_none());
    }

    #[test]
    fn the_next_start_counts_what_is_there_and_clears_what_a_crash_left() {
        let temp = tempfile::tempdir().unwrap();
        let blobs = FolderBlobs::new(temp.path().to_owned(), 10);
        keep(&blobs, b"abcdef").unwrap();
        let left = temp.path().join("drafts/77");
        std::fs::write(&left, b"half").unwrap();
        let again = FolderBlobs::new(temp.path().to_owned(), 10);
        assert!(matches!(keep(&again, b"12345"), Err(BlobError::Full)));
        keep(&again, b"1234").unwrap();
        assert!(!left.exists());
    }

    #[cfg(unix)]
    #[test]
    fn contents_are_their_owners_only() {
        use crate::data_dir::others_may_read;
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("files");
        let blobs = FolderBlobs::new(dir.clone(), 10);
        let hash = keep(&blobs, b"abc").unwrap().hash;
        assert!(!others_may_read(&dir).unwrap());
        assert!(!others_may_read(&blobs.0.path_of(&hash)).unwrap());
    }
}
