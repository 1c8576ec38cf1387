//! A content on its way into the folder: a file of its own, renamed when it is whole.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use crm_domain::ports::blob_places::{Lying, PlaceDraft};
use crm_domain::ports::blobs::{Blob, BlobError};

use super::folder::{Folder, lying};
use crate::data_dir::{DataDir, private_file, sync_folder};

pub(super) struct FolderDraft {
    folder: Folder,
    path: PathBuf,
    file: File,
    /// What of the quota it gives back when it is dropped.
    counted: u64,
}

impl FolderDraft {
    pub(super) fn begin(folder: Folder, path: PathBuf, header: &[u8]) -> io::Result<Self> {
        if let Some(parent) = path.parent() {
            DataDir::create(parent)?;
        }
        let mut file = private_file()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)?;
        file.write_all(header)?;
        Ok(Self {
            folder,
            path,
            file,
            counted: 0,
        })
    }

    /// Moves the file to its place, when it is on the disk.
    fn place(&self, blob: &Blob) -> io::Result<()> {
        self.file.sync_all()?;
        let path = self.folder.path_of(&blob.hash);
        let within = path.parent().unwrap_or(self.folder.dir());
        DataDir::create(within)?;
        fs::rename(&self.path, &path)?;
        sync_folder(within)?;
        sync_folder(self.folder.dir())
    }
}

impl Write for FolderDraft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl PlaceDraft for FolderDraft {
    fn count(&mut self, bytes: u64) -> Result<(), BlobError> {
        self.folder.take(bytes)?;
        self.counted += bytes;
        Ok(())
    }

    fn again(&mut self) -> Result<Lying, BlobError> {
        Ok(lying(File::open(&self.path)?)?)
    }

    fn keep(mut self: Box<Self>, blob: &Blob) -> Result<(), BlobError> {
        // Of one that was sealed anew nothing was counted yet; the draft that it stands for gives back its own.
        let more = blob.size.saturating_sub(self.counted);
        self.place(blob)?;
        self.folder.add(more);
        self.counted = 0;
        Ok(())
    }

    fn replace(self: Box<Self>, blob: &Blob) -> Result<bool, BlobError> {
        if !self.folder.path_of(&blob.hash).try_exists()? {
            return Ok(false);
        }
        self.place(blob)?;
        Ok(true)
    }
}

impl Drop for FolderDraft {
    fn drop(&mut self) {
        self.folder.give_back(self.counted);
        // Gone already when it was placed; what cannot be removed now is at the next start.
        let _ = fs::remove_file(&self.path);
    }
}
