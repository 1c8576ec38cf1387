//! Kept contents, sealed or from before contents were sealed. Both are checked as they are read: a content that is not
//! the one of its name ends in an error.

use std::fs::File;
use std::io::{self, Read, Seek as _};

use crm_domain::data_keys::DataKeyId;
use crm_domain::ports::blobs::{BlobError, BlobHash};
use crm_domain::ports::vault::VaultError;
use ring::digest::{Context, SHA256};

use super::draft::Draft;
use crate::vault::{HEADER, KeyVault, Opened, data_key_of};

/// Bytes copied at once.
const PIECE: usize = 64 * 1024;

/// How a file begins.
pub(super) struct Head {
    bytes: Vec<u8>,
}

impl Head {
    pub(super) fn read(file: &mut File) -> io::Result<Self> {
        let mut bytes = Vec::with_capacity(HEADER);
        file.by_ref().take(HEADER as u64).read_to_end(&mut bytes)?;
        Ok(Self { bytes })
    }

    /// The data key that sealed it; `None`: it is not sealed.
    pub(super) fn key(&self) -> Option<DataKeyId> {
        data_key_of(&self.bytes)
    }
}

/// The content of a file.
pub(super) fn open(
    vault: &KeyVault,
    mut file: File,
    hash: &BlobHash,
) -> Result<Box<dyn Read + Send>, BlobError> {
    let head = Head::read(&mut file)?;
    let Some(id) = head.key() else {
        file.rewind()?;
        return Ok(Box::new(Plain {
            file,
            so_far: Context::new(&SHA256),
            hash: *hash,
        }));
    };
    let header = head.bytes.try_into().map_err(|_| VaultError::Broken)?;
    let key = vault.opening(id)?;
    Ok(Box::new(Opened::new(&key, header, *hash, file)?))
}

/// Writes the content of a file into a draft.
pub(super) fn copy(vault: &KeyVault, file: File, hash: &BlobHash, into: &mut Draft) -> Result<(), BlobError> {
    let mut from = open(vault, file, hash)?;
    let mut piece = vec![0; PIECE];
    loop {
        let count = from.read(&mut piece)?;
        match piece.get(..count) {
            Some(bytes) if !bytes.is_empty() => into.take(bytes)?,
            _ => return Ok(()),
        }
    }
}

/// A file from before contents were sealed.
struct Plain {
    file: File,
    so_far: Context,
    hash: BlobHash,
}

impl Read for Plain {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(out)?;
        self.so_far.update(out.get(..count).unwrap_or_default());
        let ended = count == 0 && !out.is_empty();
        if ended && self.so_far.clone().finish().as_ref() != self.hash.0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, VaultError::Broken));
        }
        Ok(count)
    }
}
