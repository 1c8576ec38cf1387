//! Blobs: bytes that lie outside the database, each content once, found by their hash.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;

use super::store::StoreError;
use super::vault::VaultError;
use crate::data_keys::{DataKey, DataKeyId};

/// SHA-256 of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobHash(pub [u8; 32]);

impl BlobHash {
    /// The hash of its 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut hash = [0; 32];
        if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, at) in hash.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
        }
        Some(Self(hash))
    }
}

impl fmt::Display for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A kept content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob {
    /// What it is found by.
    pub hash: BlobHash,
    /// Bytes.
    pub size: u64,
}

/// Why bytes cannot be kept or read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BlobError {
    /// All blobs together would be more than is allowed.
    #[error("the quota of files is used up")]
    Full,
    /// The disk.
    #[error("the disk failed")]
    Disk(#[source] Arc<io::Error>),
    /// The database in which they lie.
    #[error("the database of the files cannot be used")]
    Away(#[source] StoreError),
    /// It cannot be sealed or opened.
    #[error(transparent)]
    Sealed(#[from] VaultError),
}

impl From<io::Error> for BlobError {
    /// What was wrapped for the way through a reader or writer comes out again.
    fn from(error: io::Error) -> Self {
        error
            .downcast::<Self>()
            .unwrap_or_else(|error| Self::Disk(Arc::new(error)))
    }
}

/// How far a round of [`Blobs::reseal`] came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resealed {
    /// Contents sealed anew.
    pub count: u64,
    /// Contents that do not open and were left as they are.
    pub broken: u64,
    /// The last one looked at, from where the next round goes on; `None`: there are no more.
    pub last: Option<BlobHash>,
}

/// A content on its way in. Nothing of it stays when it is dropped without being kept.
pub trait BlobDraft: Send {
    /// Takes the next bytes.
    fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError>;

    /// Keeps what was written, durably: after this it survives a power failure. A content that is there already is kept once.
    fn keep(self: Box<Self>) -> Result<Blob, BlobError>;
}

/// The store of blobs. Its calls block on the disk or the database, but for those that are async: these leave the thread of
/// their caller free.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Begins a content.
    fn begin(&self) -> Result<Box<dyn BlobDraft>, BlobError>;

    /// The bytes of a kept content; `None` if there is none under this hash. Whoever reads one reads on when it is removed
    /// meanwhile.
    fn open(&self, hash: &BlobHash) -> Result<Option<Box<dyn io::Read + Send>>, BlobError>;

    /// Deletes a kept content; `false` if there is none under this hash.
    async fn remove(&self, hash: &BlobHash) -> Result<bool, BlobError>;

    /// Looks at contents, `limit` at most, in the order of their hashes, and seals those anew that the data key of now did
    /// not seal. Contents stay readable at every moment; repeating it, also at the same time, does no harm. Places that
    /// keep nothing sealed have nothing to do.
    fn reseal(&self, _after: Option<BlobHash>, _limit: usize) -> Result<Resealed, BlobError> {
        Ok(Resealed::default())
    }

    /// Contents by the data key that sealed them; `None`: not sealed.
    fn counts(&self) -> Result<BTreeMap<Option<DataKeyId>, u64>, BlobError> {
        Ok(BTreeMap::new())
    }

    /// Keeps copies of these wrapped data keys, and of no others, beside the contents that they sealed, where those can be
    /// parted from the database that holds the keys.
    fn keep_keys(&self, _keys: &[DataKey]) -> Result<(), BlobError> {
        Ok(())
    }

    /// Removes what ended processes left, and what was kept only for those who were reading it.
    async fn tidy(&self) -> Result<(), BlobError> {
        Ok(())
    }
}

/// No place for blobs: for programs that fetch no files.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoBlobs;

#[async_trait]
impl Blobs for NoBlobs {
    fn begin(&self) -> Result<Box<dyn BlobDraft>, BlobError> {
        Err(BlobError::Full)
    }

    fn open(&self, _hash: &BlobHash) -> Result<Option<Box<dyn io::Read + Send>>, BlobError> {
        Ok(None)
    }

    async fn remove(&self, _hash: &BlobHash) -> Result<bool, BlobError> {
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::BlobHash;

    #[test]
    fn a_hash_survives_its_digits() {
        let hash = BlobHash(std::array::from_fn(|at| u8::try_from(at * 7).unwrap()));
        assert_eq!(BlobHash::from_hex(&hash.to_string()), Some(hash));
        for bad in ["", "00", &"g".repeat(64), &"0".repeat(65), &"あ".repeat(64)] {
            assert_eq!(BlobHash::from_hex(bad), None, "{bad}");
        }
    }
}
