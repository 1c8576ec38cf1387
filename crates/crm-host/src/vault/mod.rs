//! The vault: short secrets are sealed for their place, files in a stream. Both go by data keys, which lie in the
//! database wrapped by a key derived from the secret key; see `docs/adr/0012-secrets-at-rest.md`.

mod aside;
mod envelope;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod keyring;
mod material;

mod stream;
#[cfg(test)]
pub(crate) mod tests;
mod wrapping;

use std::sync::Arc;

use crm_domain::data_keys::{DataKey, DataKeyId};
use crm_domain::instant::Instant;
use crm_domain::ports::host::{Clock, Secrets};
use crm_domain::ports::vault::{KeyShelf, Place, Vault, VaultError};

pub use aside::KeyFolder;
use keyring::Keyring;
pub(crate) use material::Material;
pub(crate) use stream::{HEADER, Opened, Sealing, data_key_of, sealed_size};
pub use wrapping::{Fingerprint, WrappingKeys};

/// Where the named secret lies.
pub fn named_place(name: &str) -> Place {
    Place::new("named_secrets", "sealed", name)
}

/// A vault over the data keys on a shelf. Locked until [`KeyVault::unlock`]; it never writes to the shelf.
pub struct KeyVault {
    keyring: Keyring,
    secrets: Arc<dyn Secrets>,
}

impl KeyVault {
    /// A locked vault: everything is [`VaultError::Unavailable`].
    pub fn new(shelf: Arc<dyn KeyShelf>, clock: Arc<dyn Clock>, secrets: Arc<dyn Secrets>) -> Self {
        Self {
            keyring: Keyring::new(shelf, clock),
            secrets,
        }
    }

    /// Gives it the keys that unwrap data keys. The first call counts.
    pub fn unlock(&self, keys: Arc<WrappingKeys>) {
        self.keyring.unlock(keys);
    }

    /// A secret that programs made for themselves, by its name; `None` before it was made.
    pub fn named_secret(&self, name: &str) -> Result<Option<Vec<u8>>, VaultError> {
        let sealed = self.keyring.named_secret(name)?;
        let open = |sealed: Vec<u8>| self.open(&named_place(name), &sealed);
        sealed.map(open).transpose()
    }

    /// The key that seals now.
    pub(crate) fn sealing(&self) -> Result<Arc<Material>, VaultError> {
        self.keyring.sealing()
    }

    /// The key of this id.
    pub(crate) fn opening(&self, id: DataKeyId) -> Result<Arc<Material>, VaultError> {
        self.keyring.opening(id)
    }

    pub(crate) fn fill(&self, bytes: &mut [u8]) {
        self.secrets.fill(bytes);
    }
}

impl Vault for KeyVault {
    fn seal(&self, place: &Place, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let key = self.sealing()?;
        let mut nonce = [0; envelope::NONCE];
        self.secrets.fill(&mut nonce);
        envelope::seal(&key, nonce, place, plain)
    }

    fn open(&self, place: &Place, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let id = envelope::data_key_of(sealed).ok_or(VaultError::Broken)?;
        envelope::open(&*self.opening(id)?, place, sealed)
    }

    fn data_key_of(&self, sealed: &[u8]) -> Result<DataKeyId, VaultError> {
        envelope::data_key_of(sealed).ok_or(VaultError::Broken)
    }

    fn sealing_key(&self) -> Result<DataKeyId, VaultError> {
        Ok(self.keyring.sealing_now()?.id())
    }

    fn new_data_key(&self, at: Instant) -> Result<DataKey, VaultError> {
        let (mut id, mut key, mut nonce) = ([0; 8], [0; material::KEY], [0; wrapping::NONCE]);
        self.secrets.fill(&mut id);
        self.secrets.fill(&mut key);
        self.secrets.fill(&mut nonce);
        let id = DataKeyId(id);
        let keys = self.keyring.keys().ok_or(VaultError::Unavailable)?;
        Ok(DataKey {
            id,
            wrapped: keys.wrap(id, nonce, key)?,
            made_at: at,
            retired_at: None,
        })
    }
}
