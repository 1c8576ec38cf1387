//! Seals: proofs that only the holder of the secret key can make.

/// Makes and checks the macs of the audit log.
pub trait Seals: Send + Sync {
    /// HMAC-SHA256 under the key; `None` while there is no key.
    fn seal(&self, bytes: &[u8]) -> Option<[u8; 32]>;

    /// Whether this is their mac.
    fn fits(&self, bytes: &[u8], mac: &[u8; 32]) -> bool;
}

/// For programs that do not seal.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSeals;

impl Seals for NoSeals {
    fn seal(&self, _: &[u8]) -> Option<[u8; 32]> {
        None
    }

    fn fits(&self, _: &[u8], _: &[u8; 32]) -> bool {
        false
    }
}
