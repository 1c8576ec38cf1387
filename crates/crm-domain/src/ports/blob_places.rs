//! Where sealed contents lie: files in a folder, or rows of a database that several servers share. A place sees sealed bytes
//! only; what seals and opens them, and keeps the promises of [`super::blobs::Blobs`], stands over it.

use std::collections::BTreeMap;
use std::io;

use super::blobs::{Blob, BlobError, BlobHash};
use crate::data_keys::{DataKey, DataKeyId};

/// A content as it lies.
pub struct Lying {
    /// What it begins with: the header that was given to [`BlobPlace::draft`].
    pub header: Vec<u8>,
    /// What follows.
    pub rest: Box<dyn io::Read + Send>,
}

/// What is known of a content without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glance {
    /// The data key that sealed it; `None`: it is not sealed.
    pub key: Option<DataKeyId>,
    /// Bytes that lie there, with the header.
    pub lying: u64,
}

/// Why a content comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coming {
    /// For the first time, from outside.
    New,
    /// Sealed anew, to replace what lies there; perhaps by another process than the one that serves.
    Resealed,
}

/// A content on its way in. Nothing of it stays when it is dropped, or its process ends, before it was placed.
pub trait PlaceDraft: io::Write + Send {
    /// Counts so many bytes to the quota, until it is dropped.
    fn count(&mut self, bytes: u64) -> Result<(), BlobError>;

    /// What was written, from its beginning; nothing is written after it.
    fn again(&mut self) -> Result<Lying, BlobError>;

    /// Places it durably under this hash; what lay there before goes. From then on it counts with its size.
    fn keep(self: Box<Self>, blob: &Blob) -> Result<(), BlobError>;

    /// Places it durably instead of what lies under its hash; `false`, and nothing stays of it, if nothing lies there any more.
    fn replace(self: Box<Self>, blob: &Blob) -> Result<bool, BlobError>;
}

/// A place of sealed contents. Its calls block. Whoever reads a content reads on when it is replaced or removed meanwhile.
pub trait BlobPlace: Send + Sync {
    /// Begins a content with this header, sealed by this data key.
    fn draft(&self, coming: Coming, header: &[u8], key: DataKeyId) -> Result<Box<dyn PlaceDraft>, BlobError>;

    /// The content under a hash; `None` if there is none.
    fn open(&self, hash: &BlobHash) -> Result<Option<Lying>, BlobError>;

    /// What lies under a hash; `None` if nothing does.
    fn glance(&self, hash: &BlobHash) -> Result<Option<Glance>, BlobError>;

    /// Deletes a content; `false` if there is none under this hash.
    fn remove(&self, hash: &BlobHash) -> Result<bool, BlobError>;

    /// The contents behind this hash in the order of their hashes, `limit` at most, with what sealed them.
    fn list(
        &self,
        after: Option<BlobHash>,
        limit: usize,
    ) -> Result<Vec<(BlobHash, Option<DataKeyId>)>, BlobError>;

    /// Contents by the data key that sealed them; `None`: not sealed.
    fn counts(&self) -> Result<BTreeMap<Option<DataKeyId>, u64>, BlobError>;

    /// Removes what ended processes left, and what was kept for readers only.
    fn tidy(&self) -> Result<(), BlobError>;

    /// Keeps copies of these wrapped data keys, and of no others, beside the contents, where those can be parted from the
    /// database that holds the keys.
    fn keep_keys(&self, keys: &[DataKey]) -> Result<(), BlobError>;
}
