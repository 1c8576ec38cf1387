//! Seals: proofs that only the holder of the secret key can make.

/// Makes and checks the macs of the audit log.
pub trait Seals: Send + Sync {
    /// HMAC-SHA256 under the present key.
    fn seal(&self, bytes: &[u8]) -> [u8; 32];

    /// Whether this is their mac under the present or an older key.
    fn fits(&self, bytes: &[u8], mac: &[u8; 32]) -> bool;
}

/// For programs that do not seal: their log proves nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSeals;

impl Seals for NoSeals {
    fn seal(&self, _: &[u8]) -> [u8; 32] {
        [0; 32]
    }

    fn fits(&self, _: &[u8], _: &[u8; 32]) -> bool {
        false
    }
}
