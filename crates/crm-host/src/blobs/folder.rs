//! The folder as a place of contents: `ab/cdef…` below it is the content whose hash begins with `ab`. One process writes
//! it, but another may seal contents anew beside it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crm_domain::data_keys::{DataKey, DataKeyId};
use crm_domain::instant::Instant;
use crm_domain::ports::blob_places::{BlobPlace, Coming, Glance, Lying, PlaceDraft};
use crm_domain::ports::blobs::{BlobError, BlobHash};

use super::folder_draft::FolderDraft;
use crate::data_dir::sync_folder;
use crate::vault::{HEADER, KeyFolder, data_key_of};

/// Where contents on their way in lie; what is found there at the start was left by a crash.
const DRAFTS: &str = "drafts";
/// Where contents lie while they are sealed anew; each in a file that no other program uses.
const RESEALING: &str = "resealing";

/// The folder, and what of its quota is used. Clones are the same folder.
#[derive(Clone)]
pub(super) struct Folder(Arc<Inner>);

struct Inner {
    dir: PathBuf,
    quota: u64,
    /// What all contents and drafts take; counted when first asked for.
    used: Mutex<Option<u64>>,
    next_draft: AtomicU64,
}

impl Folder {
    pub(super) fn new(dir: PathBuf, quota: u64) -> Self {
        Self(Arc::new(Inner {
            dir,
            quota,
            used: Mutex::new(None),
            next_draft: AtomicU64::new(0),
        }))
    }

    pub(super) fn dir(&self) -> &Path {
        &self.0.dir
    }

    pub(super) fn path_of(&self, hash: &BlobHash) -> PathBuf {
        let digits = hash.to_string();
        let (folder, name) = digits.split_at(2);
        self.0.dir.join(folder).join(name)
    }

    /// Takes so many bytes of the quota.
    pub(super) fn take(&self, bytes: u64) -> Result<(), BlobError> {
        let mut used = self.0.used.lock().unwrap_or_else(PoisonError::into_inner);
        let before = if let Some(used) = *used {
            used
        } else {
            self.clear_drafts()?;
            weight(&self.0.dir)?
        };
        let after = before.saturating_add(bytes);
        let fits = after <= self.0.quota;
        *used = Some(if fits { after } else { before });
        if fits { Ok(()) } else { Err(BlobError::Full) }
    }

    /// What is there anyway, whether it fits or not.
    pub(super) fn add(&self, bytes: u64) {
        let mut used = self.0.used.lock().unwrap_or_else(PoisonError::into_inner);
        *used = used.map(|used| used.saturating_add(bytes));
    }

    pub(super) fn give_back(&self, bytes: u64) {
        let mut used = self.0.used.lock().unwrap_or_else(PoisonError::into_inner);
        *used = used.map(|used| used.saturating_sub(bytes));
    }

    /// What its own drafts were, before there are any.
    fn clear_drafts(&self) -> io::Result<()> {
        for entry in entries(&self.0.dir.join(DRAFTS))? {
            fs::remove_file(entry?.path())?;
        }
        Ok(())
    }

    /// Where a content on its way in lies. Of those that are sealed anew each has a name that no other program uses: it is
    /// made of the random end of its header.
    fn path_of_draft(&self, coming: Coming, header: &[u8]) -> PathBuf {
        match coming {
            Coming::New => {
                let number = self.0.next_draft.fetch_add(1, Ordering::Relaxed);
                self.0.dir.join(DRAFTS).join(number.to_string())
            }
            Coming::Resealed => {
                let random = header.last_chunk::<8>().copied().unwrap_or_default();
                self.0.dir.join(RESEALING).join(DataKeyId(random).to_string())
            }
        }
    }

    /// The kept contents in the order of their hashes, from the folder on in which `after` lies.
    fn hashes(&self, after: Option<BlobHash>) -> io::Result<Vec<BlobHash>> {
        let from = after.map(|hash| format!("{:02x}", hash.0[0])).unwrap_or_default();
        let mut hashes = Vec::new();
        for sub in entries(&self.0.dir)? {
            let name = sub?.file_name();
            let Some(two) = name
                .to_str()
                .filter(|name| name.len() == 2 && *name >= from.as_str())
            else {
                continue;
            };
            for file in entries(&self.0.dir.join(two))? {
                let rest = file?.file_name();
                let digits = rest.to_str().map(|rest| format!("{two}{rest}"));
                hashes.extend(digits.as_deref().and_then(BlobHash::from_hex));
            }
        }
        hashes.sort_unstable();
        hashes.retain(|hash| after.is_none_or(|after| *hash > after));
        Ok(hashes)
    }
}

impl BlobPlace for Folder {
    fn draft(
        &self,
        coming: Coming,
        header: &[u8],
        _key: DataKeyId,
    ) -> Result<Box<dyn PlaceDraft>, BlobError> {
        if coming == Coming::New {
            // Counts first: that clears what an earlier run left.
            self.take(0)?;
        }
        let path = self.path_of_draft(coming, header);
        Ok(Box::new(FolderDraft::begin(self.clone(), path, header)?))
    }

    fn open(&self, hash: &BlobHash) -> Result<Option<Lying>, BlobError> {
        let file = found(File::open(self.path_of(hash)))?;
        Ok(file.map(lying).transpose()?)
    }

    fn glance(&self, hash: &BlobHash) -> Result<Option<Glance>, BlobError> {
        let Some(mut file) = found(File::open(self.path_of(hash)))? else {
            return Ok(None);
        };
        Ok(Some(Glance {
            key: data_key_of(&header(&mut file)?),
            lying: file.metadata()?.len(),
        }))
    }

    fn remove(&self, hash: &BlobHash) -> Result<bool, BlobError> {
        let path = self.path_of(hash);
        let Some(there) = found(fs::metadata(&path))? else {
            return Ok(false);
        };
        fs::remove_file(&path)?;
        self.give_back(there.len());
        sync_folder(path.parent().unwrap_or(&self.0.dir))?;
        Ok(true)
    }

    fn list(
        &self,
        after: Option<BlobHash>,
        limit: usize,
    ) -> Result<Vec<(BlobHash, Option<DataKeyId>)>, BlobError> {
        let mut listed = Vec::new();
        for hash in self.hashes(after)? {
            if listed.len() == limit {
                break;
            }
            if let Some(mut file) = found(File::open(self.path_of(&hash)))? {
                listed.push((hash, data_key_of(&header(&mut file)?)));
            }
        }
        Ok(listed)
    }

    fn counts(&self) -> Result<BTreeMap<Option<DataKeyId>, u64>, BlobError> {
        let mut counts = BTreeMap::new();
        for (_, key) in self.list(None, usize::MAX)? {
            *counts.entry(key).or_default() += 1;
        }
        Ok(counts)
    }

    fn tidy(&self) -> Result<(), BlobError> {
        for entry in entries(&self.0.dir.join(RESEALING))? {
            let entry = entry?;
            let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            if age.as_secs() > 86_400 {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn keep_keys(&self, keys: &[DataKey]) -> Result<(), BlobError> {
        Ok(KeyFolder::in_files(&self.0.dir).keep(keys, Instant::from_unix_millis(0))?)
    }
}

/// What a file is, from its beginning.
pub(super) fn lying(mut file: File) -> io::Result<Lying> {
    Ok(Lying {
        header: header(&mut file)?,
        rest: Box::new(file),
    })
}

fn header(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(HEADER);
    file.by_ref().take(HEADER as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// `None` for what is not there.
pub(super) fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(there) => Ok(Some(there)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The entries of a folder; none if it is not there.
fn entries(dir: &Path) -> io::Result<impl Iterator<Item = io::Result<fs::DirEntry>>> {
    Ok(found(fs::read_dir(dir))?.into_iter().flatten())
}

/// The bytes of all files in the folders of this folder.
pub(super) fn weight(dir: &Path) -> io::Result<u64> {
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
