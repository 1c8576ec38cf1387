//! Seals of the audit log by keys derived from the secret key.

use crm_domain::ports::seals::Seals;

use crate::secret_key::{MacKey, SecretKey};

/// Seals with the present key, and knows what older keys sealed.
#[derive(Debug, Clone)]
pub struct KeySeals {
    present: MacKey,
    older: Vec<MacKey>,
}

impl KeySeals {
    const PURPOSE: &'static str = "audit log";

    /// Derives the keys.
    pub fn new(present: &SecretKey, older: &[SecretKey]) -> Self {
        Self {
            present: present.for_purpose(Self::PURPOSE),
            older: older.iter().map(|key| key.for_purpose(Self::PURPOSE)).collect(),
        }
    }
}

impl Seals for KeySeals {
    fn seal(&self, bytes: &[u8]) -> [u8; 32] {
        self.present.sign(bytes)
    }

    fn fits(&self, bytes: &[u8], mac: &[u8; 32]) -> bool {
        let mut keys = std::iter::once(&self.present).chain(&self.older);
        keys.any(|key| key.verify(bytes, mac))
    }
}

#[cfg(test)]
mod tests {
    use crm_domain::ports::seals::Seals;

    use super::KeySeals;
    use crate::secret_key::SecretKey;

    #[test]
    fn what_an_older_key_sealed_still_fits_and_what_another_did_does_not() {
        let key = |letter: &str| SecretKey::from_text(&letter.repeat(32)).unwrap();
        let old = KeySeals::new(&key("a"), &[]);
        let mac = old.seal(b"entry");
        let new = KeySeals::new(&key("b"), &[key("a")]);
        assert!(old.fits(b"entry", &mac) && new.fits(b"entry", &mac));
        assert!(!new.fits(b"entrY", &mac));
        assert!(!KeySeals::new(&key("b"), &[]).fits(b"entry", &mac));
        assert_ne!(new.seal(b"entry"), mac);
    }
}
