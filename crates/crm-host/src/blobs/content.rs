//! Kept contents, sealed or from before contents were sealed. Both are checked as they are read: a content that is not
//! the one of its name ends in an error.

use std::io::{self, Cursor, Read};

use crm_domain::ports::blob_places::Lying;
use crm_domain::ports::blobs::{BlobError, BlobHash};
use crm_domain::ports::vault::VaultError;
use ring::digest::{Context, SHA256};

use super::draft::Draft;
use crate::vault::{KeyVault, Opened, data_key_of};

/// Bytes copied at once.
const PIECE: usize = 64 * 1024;

/// What a lying content is.
pub(super) fn open(
    vault: &KeyVault,
    lying: Lying,
    hash: &BlobHash,
) -> Result<Box<dyn Read + Send>, BlobError> {
    let Some(id) = data_key_of(&lying.header) else {
        return Ok(Box::new(Plain {
            from: Cursor::new(lying.header).chain(lying.rest),
            so_far: Context::new(&SHA256),
            hash: *hash,
        }));
    };
    let header = lying.header.try_into().map_err(|_| VaultError::Broken)?;
    let key = vault.opening(id)?;
    Ok(Box::new(Opened::new(&key, header, *hash, lying.rest)?))
}

/// Writes what a lying content is into a draft.
pub(super) fn copy(
    vault: &KeyVault,
    lying: Lying,
    hash: &BlobHash,
    into: &mut Draft,
) -> Result<(), BlobError> {
    let mut from = open(vault, lying, hash)?;
    let mut piece = vec![0; PIECE];
    loop {
        let count = from.read(&mut piece)?;
        match piece.get(..count) {
            Some(bytes) if !bytes.is_empty() => into.take(bytes)?,
            _ => return Ok(()),
        }
    }
}

/// A content from before contents were sealed.
struct Plain<R> {
    from: R,
    so_far: Context,
    hash: BlobHash,
}

impl<R: Read> Read for Plain<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(out)?;
        self.so_far.update(out.get(..count).unwrap_or_default());
        let ended = count == 0 && !out.is_empty();
        if ended && self.so_far.clone().finish().as_ref() != self.hash.0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, VaultError::Broken));
        }
        Ok(count)
    }
}
