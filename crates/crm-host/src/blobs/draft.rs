//! A content on its way in: sealed as it comes, hashed as it was.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use crm_domain::ports::blobs::{Blob, BlobDraft, BlobError, BlobHash};
use ring::digest::{Context, SHA256};

use super::{Folder, content, sync_folder};
use crate::data_dir::{DataDir, private_file};
use crate::vault::{Material, Sealing};

pub(super) struct Draft {
    folder: Arc<Folder>,
    path: PathBuf,
    file: File,
    key: Arc<Material>,
    sealing: Sealing,
    hash: Context,
    size: u64,
    /// What of the quota it gives back when it is dropped.
    counted: u64,
}

impl Draft {
    /// A draft in a new file of this name.
    pub(super) fn begin(folder: Arc<Folder>, path: PathBuf) -> Result<Self, BlobError> {
        if let Some(parent) = path.parent() {
            DataDir::create(parent)?;
        }
        let key = folder.vault.sealing()?;
        let (sealing, header) = Sealing::begin(&folder.vault, &key)?;
        let mut file = private_file()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)?;
        file.write_all(&header)?;
        Ok(Self {
            folder,
            path,
            file,
            key,
            sealing,
            hash: Context::new(&SHA256),
            size: 0,
            counted: 0,
        })
    }

    /// Takes bytes without counting them to the quota.
    pub(super) fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sealing.write(bytes, &mut self.file)?;
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Seals the end and puts the file on disk.
    pub(super) fn finish(&mut self) -> io::Result<Blob> {
        let mut hash = BlobHash([0; 32]);
        hash.0.copy_from_slice(self.hash.clone().finish().as_ref());
        self.sealing.finish(&hash, &mut self.file)?;
        self.file.sync_all()?;
        Ok(Blob {
            hash,
            size: self.size,
        })
    }

    /// Moves the finished file to its place.
    pub(super) fn place(&mut self, hash: &BlobHash) -> io::Result<()> {
        let path = self.folder.path_of(hash);
        let folder = path.parent().unwrap_or(&self.folder.dir);
        DataDir::create(folder)?;
        fs::rename(&self.path, &path)?;
        sync_folder(folder)?;
        sync_folder(&self.folder.dir)
    }

    /// While it came in, another data key may have taken over, and the one it was sealed with be about to go.
    fn seal_anew(&self, blob: &Blob) -> Result<Option<Self>, BlobError> {
        if self.folder.vault.sealing()?.id() == self.key.id() {
            return Ok(None);
        }
        let mut fresh = Self::begin(Arc::clone(&self.folder), self.path.with_extension("anew"))?;
        content::copy(
            &self.folder.vault,
            File::open(&self.path)?,
            &blob.hash,
            &mut fresh,
        )?;
        fresh.finish()?;
        Ok(Some(fresh))
    }
}

impl BlobDraft for Draft {
    fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        let count = bytes.len() as u64;
        self.folder.take(count)?;
        self.counted += count;
        Ok(self.take(bytes)?)
    }

    fn keep(mut self: Box<Self>) -> Result<Blob, BlobError> {
        let blob = self.finish()?;
        if self.folder.holds(&blob)? {
            return Ok(blob);
        }
        match self.seal_anew(&blob)? {
            Some(mut fresh) => fresh.place(&blob.hash)?,
            None => self.place(&blob.hash)?,
        }
        self.counted = 0;
        Ok(blob)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.folder.give_back(self.counted);
        // Gone already when it was kept; what cannot be removed now is at the next start.
        let _ = fs::remove_file(&self.path);
    }
}
