//! Blobs as files: each content once, sealed, under the SHA-256 of what it was before, within a quota.

mod content;
mod draft;
mod reseal;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crm_domain::data_keys::{DataKey, DataKeyId};
use crm_domain::instant::Instant;
use crm_domain::ports::blobs::{Blob, BlobDraft, BlobError, BlobHash, Blobs, Resealed};

use crate::vault::{KeyFolder, KeyVault, sealed_size};
use content::Head;
use draft::Draft;

/// Where contents on their way in lie; what is found there at the start was left by a crash.
const DRAFTS: &str = "drafts";

/// A folder of contents: `ab/cdef…` below it is the content whose hash begins with `ab`. One process writes it.
#[derive(Clone)]
pub struct FolderBlobs(Arc<Folder>);

struct Folder {
    dir: PathBuf,
    quota: u64,
    vault: Arc<KeyVault>,
    /// What all contents and drafts take; counted when first asked for.
    used: Mutex<Option<u64>>,
    next_draft: AtomicU64,
}

impl FolderBlobs {
    /// Contents below this folder, together at most `quota` bytes. Nothing is made or looked at before it is needed.
    pub fn new(dir: PathBuf, quota: u64, vault: Arc<KeyVault>) -> Self {
        Self(Arc::new(Folder {
            dir,
            quota,
            vault,
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

    /// Where the next content on its way in lies.
    fn next_draft(&self) -> PathBuf {
        let number = self.next_draft.fetch_add(1, Ordering::Relaxed);
        self.dir.join(DRAFTS).join(number.to_string())
    }

    /// Whether this content lies in its place, sealed and whole.
    fn holds(&self, blob: &Blob) -> io::Result<bool> {
        let mut file = match File::open(self.path_of(&blob.hash)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened?,
        };
        let whole = file.metadata()?.len() == sealed_size(blob.size);
        Ok(whole && Head::read(&mut file)?.key().is_some())
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
        let draft = Draft::begin(Arc::clone(&self.0), self.0.next_draft())?;
        Ok(Box::new(draft))
    }

    fn open(&self, hash: &BlobHash) -> Result<Option<Box<dyn io::Read + Send>>, BlobError> {
        match File::open(self.0.path_of(hash)) {
            Ok(file) => Ok(Some(content::open(&self.0.vault, file, hash)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn remove(&self, hash: &BlobHash) -> Result<bool, BlobError> {
        let path = self.0.path_of(hash);
        let size = match fs::metadata(&path) {
            Ok(there) => there.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        fs::remove_file(&path)?;
        self.0.give_back(size);
        sync_folder(path.parent().unwrap_or(&self.0.dir))?;
        Ok(true)
    }

    fn reseal(&self, after: Option<BlobHash>, limit: usize) -> Result<Resealed, BlobError> {
        if after.is_none() {
            reseal::tidy(&self.0)?;
        }
        reseal::some(&self.0, after, limit)
    }

    fn counts(&self) -> Result<BTreeMap<Option<DataKeyId>, u64>, BlobError> {
        reseal::counts(&self.0)
    }

    fn keep_keys(&self, keys: &[DataKey]) -> Result<(), BlobError> {
        Ok(KeyFolder::in_files(&self.0.dir).keep(keys, Instant::from_unix_millis(0))?)
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
