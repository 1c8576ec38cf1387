//! A data key unwrapped, and the keys derived from it.

use crm_domain::data_keys::DataKeyId;
use crm_domain::ports::vault::VaultError;
use ring::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use ring::hkdf::{self, HKDF_SHA256, Prk};

/// Bytes of a data key.
pub(super) const KEY: usize = 32;
/// Bytes of a file's salt.
pub(super) const SALT: usize = 16;

/// A data key. Envelopes are sealed with one key derived from it, each file with one of its own.
pub(crate) struct Material {
    id: DataKeyId,
    base: Prk,
    envelopes: LessSafeKey,
}

impl Material {
    pub(super) fn new(id: DataKeyId, key: &[u8; KEY]) -> Result<Self, VaultError> {
        // The key is as random as a key can be, so nothing has to be extracted.
        let base = Prk::new_less_safe(HKDF_SHA256, key);
        let envelopes = derived(&base, &[b"crm envelope 1"])?;
        Ok(Self { id, base, envelopes })
    }

    pub(crate) fn id(&self) -> DataKeyId {
        self.id
    }

    pub(super) fn envelopes(&self) -> &LessSafeKey {
        &self.envelopes
    }

    /// The key of the file with this salt: no other file has it, so its chunks' nonces may be counted.
    pub(super) fn file(&self, salt: &[u8; SALT]) -> Result<LessSafeKey, VaultError> {
        derived(&self.base, &[b"crm file 1", salt])
    }
}

/// The AES-256-GCM key for a purpose.
pub(super) fn derived(base: &Prk, purpose: &[&[u8]]) -> Result<LessSafeKey, VaultError> {
    let okm: hkdf::Okm<'_, _> = base
        .expand(purpose, &AES_256_GCM)
        .map_err(|_| VaultError::Unavailable)?;
    Ok(LessSafeKey::new(UnboundKey::from(okm)))
}
