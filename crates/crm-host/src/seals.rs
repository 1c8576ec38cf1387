//! Seals of the audit log by a key of its own, which lies sealed in the database: so the chain can be proved also after the
//! secret key was exchanged.

use std::sync::{Arc, OnceLock};

use crm_domain::ports::seals::Seals;

use crate::secret_key::MacKey;
use crate::vault::KeyVault;

/// Seals with the key of that name in a vault; it is looked up when first needed. Without it nothing is sealed and nothing fits.
pub struct VaultSeals {
    vault: Arc<KeyVault>,
    key: OnceLock<MacKey>,
}

impl VaultSeals {
    /// The name of the key in the store.
    pub const NAME: &str = "audit log";

    /// Seals by this vault.
    pub fn new(vault: Arc<KeyVault>) -> Self {
        Self {
            vault,
            key: OnceLock::new(),
        }
    }

    fn key(&self) -> Option<&MacKey> {
        if let Some(key) = self.key.get() {
            return Some(key);
        }
        match self.vault.named_secret(Self::NAME) {
            Ok(Some(bytes)) => Some(self.key.get_or_init(|| MacKey::new(&bytes))),
            Ok(None) => None,
            Err(error) => {
                tracing::error!("the key of the audit log cannot be used: {error}");
                None
            }
        }
    }
}

impl Seals for VaultSeals {
    fn seal(&self, bytes: &[u8]) -> Option<[u8; 32]> {
        self.key().map(|key| key.sign(bytes))
    }

    fn fits(&self, bytes: &[u8], mac: &[u8; 32]) -> bool {
        self.key().is_some_and(|key| key.verify(bytes, mac))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crm_domain::ports::seals::Seals;

    use super::VaultSeals;
    use crate::vault::tests::Desk;

    #[test]
    fn what_was_sealed_fits_also_after_the_keys_were_changed() {
        let desk = Desk::new();
        let old = VaultSeals::new(Arc::clone(&desk.vault));
        assert!(
            old.seal(b"entry").is_none() && !old.fits(b"entry", &[0; 32]),
            "there is no key yet"
        );
        desk.name(VaultSeals::NAME, b"thirty-two bytes of randomness!!");
        let mac = old.seal(b"entry").unwrap();
        desk.rotate();
        let other = Desk::beside(&desk.shelf, "b", &["a"]);
        let new = VaultSeals::new(Arc::clone(&other.vault));
        assert!(old.fits(b"entry", &mac) && new.fits(b"entry", &mac));
        assert!(!new.fits(b"entrY", &mac));
        let stranger = Desk::beside(&desk.shelf, "c", &[]);
        assert!(!VaultSeals::new(Arc::clone(&stranger.vault)).fits(b"entry", &mac));
    }
}
