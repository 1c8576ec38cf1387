//! Blobs, sealed: each content once, under the SHA-256 of what it was before. Where the sealed bytes lie is a
//! [`BlobPlace`]'s matter: the folder here, or a table of the database.

mod content;
mod draft;
mod folder;
mod folder_draft;
mod reseal;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod waiting_tests;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use crm_domain::data_keys::{DataKey, DataKeyId};
use crm_domain::ports::blob_places::{BlobPlace, Coming};
use crm_domain::ports::blobs::{BlobDraft, BlobError, BlobHash, Blobs, Resealed};

use crate::vault::KeyVault;
use draft::Draft;
use folder::Folder;

/// Contents that a vault seals, and the place where they lie.
#[derive(Clone)]
pub struct SealedBlobs {
    place: Arc<dyn BlobPlace>,
    vault: Arc<KeyVault>,
}

impl SealedBlobs {
    /// Contents in this place.
    pub fn over(place: Arc<dyn BlobPlace>, vault: Arc<KeyVault>) -> Self {
        Self { place, vault }
    }

    /// Contents below this folder, together at most `quota` bytes; one process writes it. Nothing is made or looked at
    /// before it is needed.
    pub fn in_folder(dir: PathBuf, quota: u64, vault: Arc<KeyVault>) -> Self {
        Self::over(Arc::new(Folder::new(dir, quota)), vault)
    }
}

/// Runs what blocks where it keeps nobody from working.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(io::Error::other("the work on the files failed").into()))
}

#[async_trait]
impl Blobs for SealedBlobs {
    fn begin(&self) -> Result<Box<dyn BlobDraft>, BlobError> {
        Ok(Box::new(Draft::begin(self, Coming::New)?))
    }

    fn open(&self, hash: &BlobHash) -> Result<Option<Box<dyn io::Read + Send>>, BlobError> {
        let lying = self.place.open(hash)?;
        lying
            .map(|lying| content::open(&self.vault, lying, hash))
            .transpose()
    }

    async fn remove(&self, hash: &BlobHash) -> Result<bool, BlobError> {
        let (place, hash) = (Arc::clone(&self.place), *hash);
        apart(move || place.remove(&hash)).await
    }

    fn reseal(&self, after: Option<BlobHash>, limit: usize) -> Result<Resealed, BlobError> {
        if after.is_none() {
            self.place.tidy()?;
        }
        reseal::some(self, after, limit)
    }

    fn counts(&self) -> Result<BTreeMap<Option<DataKeyId>, u64>, BlobError> {
        self.place.counts()
    }

    fn keep_keys(&self, keys: &[DataKey]) -> Result<(), BlobError> {
        self.place.keep_keys(keys)
    }

    async fn tidy(&self) -> Result<(), BlobError> {
        let place = Arc::clone(&self.place);
        apart(move || place.tidy()).await
    }
}
