//! A content on its way in: sealed as it comes, hashed as it was.

use std::io;
use std::sync::Arc;

use crm_domain::ports::blob_places::{Coming, PlaceDraft};
use crm_domain::ports::blobs::{Blob, BlobDraft, BlobError, BlobHash};
use ring::digest::{Context, SHA256};

use super::{SealedBlobs, content};
use crate::vault::{Material, Sealing, sealed_size};

pub(super) struct Draft {
    blobs: SealedBlobs,
    out: Box<dyn PlaceDraft>,
    key: Arc<Material>,
    sealing: Sealing,
    hash: Context,
    size: u64,
}

impl Draft {
    pub(super) fn begin(blobs: &SealedBlobs, coming: Coming) -> Result<Self, BlobError> {
        let key = blobs.vault.sealing()?;
        let (sealing, header) = Sealing::begin(&blobs.vault, &key)?;
        Ok(Self {
            blobs: blobs.clone(),
            out: blobs.place.draft(coming, &header, key.id())?,
            key,
            sealing,
            hash: Context::new(&SHA256),
            size: 0,
        })
    }

    /// Counts bytes to the quota.
    pub(super) fn count(&mut self, bytes: u64) -> Result<(), BlobError> {
        self.out.count(bytes)
    }

    /// Takes bytes without counting them.
    pub(super) fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sealing.write(bytes, &mut self.out)?;
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Seals the end.
    fn finish(&mut self) -> io::Result<Blob> {
        let mut hash = BlobHash([0; 32]);
        hash.0.copy_from_slice(self.hash.clone().finish().as_ref());
        self.sealing.finish(&hash, &mut self.out)?;
        let size = self.size;
        Ok(Blob { hash, size })
    }

    /// Puts it in the place of the same content, sealed otherwise; `false` if that went meanwhile.
    pub(super) fn replace(mut self) -> Result<bool, BlobError> {
        let blob = self.finish()?;
        self.out.replace(&blob)
    }

    /// While it came in, another data key may have taken over, and the one it was sealed with be about to go.
    fn seal_anew(&mut self, blob: &Blob) -> Result<Option<Self>, BlobError> {
        if self.blobs.vault.sealing()?.id() == self.key.id() {
            return Ok(None);
        }
        let mut fresh = Self::begin(&self.blobs, Coming::Resealed)?;
        content::copy(&self.blobs.vault, self.out.again()?, &blob.hash, &mut fresh)?;
        fresh.finish()?;
        Ok(Some(fresh))
    }

    /// Whether this content lies in its place, sealed and whole.
    fn is_there(&self, blob: &Blob) -> Result<bool, BlobError> {
        let glance = self.blobs.place.glance(&blob.hash)?;
        Ok(glance.is_some_and(|there| there.key.is_some() && there.lying == sealed_size(blob.size)))
    }
}

impl BlobDraft for Draft {
    fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.count(bytes.len() as u64)?;
        Ok(self.take(bytes)?)
    }

    fn keep(mut self: Box<Self>) -> Result<Blob, BlobError> {
        let blob = self.finish()?;
        if self.is_there(&blob)? {
            return Ok(blob);
        }
        let fresh = self.seal_anew(&blob)?;
        let out = fresh.map_or(self.out, |fresh| fresh.out);
        out.keep(&blob)?;
        Ok(blob)
    }
}
