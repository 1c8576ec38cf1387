//! Files that customers sent, and the place where their bytes are kept.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use crm_domain::ports::blobs::{Blob, BlobDraft, BlobError, BlobHash, Blobs};
use crm_domain::ports::files::{FetchError, FetchProblem, FetchedFile, FileSource};

use super::lock;
use super::secrets::sha256;

/// Keeps bytes in memory.
#[derive(Debug, Default, Clone)]
pub struct MemoryBlobs(Arc<Mutex<HashMap<BlobHash, Vec<u8>>>>);

impl MemoryBlobs {
    /// How many contents are kept.
    pub fn count(&self) -> usize {
        lock(&self.0).len()
    }
}

struct Draft {
    blobs: MemoryBlobs,
    bytes: Vec<u8>,
}

impl BlobDraft for Draft {
    fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn keep(self: Box<Self>) -> Result<Blob, BlobError> {
        let hash = BlobHash(sha256(&self.bytes));
        let size = self.bytes.len() as u64;
        lock(&self.blobs.0).insert(hash, self.bytes);
        Ok(Blob { hash, size })
    }
}

#[async_trait]
impl Blobs for MemoryBlobs {
    fn begin(&self) -> Result<Box<dyn BlobDraft>, BlobError> {
        Ok(Box::new(Draft {
            blobs: self.clone(),
            bytes: Vec::new(),
        }))
    }

    fn open(&self, hash: &BlobHash) -> Result<Option<Box<dyn io::Read + Send>>, BlobError> {
        let bytes = lock(&self.0).get(hash).cloned();
        Ok(bytes.map(|bytes| Box::new(io::Cursor::new(bytes)) as Box<dyn io::Read + Send>))
    }

    async fn remove(&self, hash: &BlobHash) -> Result<bool, BlobError> {
        Ok(lock(&self.0).remove(hash).is_some())
    }
}

/// Gives every file, its id being its content, unless a problem is planned.
#[derive(Debug, Default)]
pub struct FakeFiles {
    problem: Mutex<Option<FetchError>>,
    asked: Mutex<usize>,
}

impl FakeFiles {
    /// From now on it fails so; `None`: it works.
    pub fn fail(&self, error: impl Into<Option<FetchError>>) {
        *lock(&self.problem) = error.into();
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        *lock(&self.asked)
    }
}

#[async_trait]
impl FileSource for FakeFiles {
    fn is_set_up(&self) -> bool {
        lock(&self.problem).is_none_or(|error| error.problem != FetchProblem::NotConfigured)
    }

    async fn fetch(
        &self,
        _bot: &str,
        file_id: &str,
        into: Arc<dyn Blobs>,
    ) -> Result<FetchedFile, FetchError> {
        *lock(&self.asked) += 1;
        if let Some(error) = *lock(&self.problem) {
            return Err(error);
        }
        let disk = |_| FetchError::from(FetchProblem::Disk);
        let mut draft = into.begin().map_err(disk)?;
        draft.write(file_id.as_bytes()).map_err(disk)?;
        Ok(FetchedFile {
            blob: draft.keep().map_err(disk)?,
            name: Some(format!("{file_id}.jpg")),
            media_type: Some("image/jpeg".to_owned()),
        })
    }
}
