//! Seals that tests can tell apart.

use crm_domain::ports::seals::Seals;

use super::secrets::sha256;

/// A digest with a word in front stands for the mac; another word makes other seals.
#[derive(Debug, Clone)]
pub struct FakeSeals(pub &'static str);

impl Default for FakeSeals {
    fn default() -> Self {
        Self("key")
    }
}

impl Seals for FakeSeals {
    fn seal(&self, bytes: &[u8]) -> Option<[u8; 32]> {
        Some(sha256(&[self.0.as_bytes(), bytes].concat()))
    }

    fn fits(&self, bytes: &[u8], mac: &[u8; 32]) -> bool {
        self.seal(bytes).as_ref() == Some(mac)
    }
}
