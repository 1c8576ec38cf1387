//! Sealing kept contents anew. Each is written whole beside the old one and takes its place at once; whoever reads the
//! old one reads on.

use std::io;

use crm_domain::ports::blob_places::Coming;
use crm_domain::ports::blobs::{BlobError, BlobHash, Resealed};
use crm_domain::ports::vault::{Vault as _, VaultError};

use super::SealedBlobs;
use super::content;
use super::draft::Draft;

pub(super) fn some(
    blobs: &SealedBlobs,
    after: Option<BlobHash>,
    limit: usize,
) -> Result<Resealed, BlobError> {
    let sealing = blobs.vault.sealing_key()?;
    let listed = blobs.place.list(after, limit.saturating_add(1))?;
    let mut round = Resealed::default();
    for (hash, key) in listed.iter().take(limit) {
        round.last = Some(*hash);
        if *key == Some(sealing) {
            continue;
        }
        match one(blobs, hash) {
            Ok(done) => round.count += u64::from(done),
            Err(error) if is_broken(&error) => round.broken += 1,
            Err(error) => return Err(error),
        }
    }
    if listed.len() <= limit {
        round.last = None;
    }
    Ok(round)
}

/// Of one content nothing is lost by leaving it; the disk is another matter.
fn is_broken(error: &BlobError) -> bool {
    match error {
        BlobError::Sealed(VaultError::Broken | VaultError::UnknownKey) => true,
        BlobError::Disk(error) => error.kind() == io::ErrorKind::InvalidData,
        _ => false,
    }
}

/// Whether it was sealed anew; not if it went meanwhile.
fn one(blobs: &SealedBlobs, hash: &BlobHash) -> Result<bool, BlobError> {
    let Some(lying) = blobs.place.open(hash)? else {
        return Ok(false);
    };
    let mut draft = Draft::begin(blobs, Coming::Resealed)?;
    content::copy(&blobs.vault, lying, hash, &mut draft)?;
    draft.replace()
}
