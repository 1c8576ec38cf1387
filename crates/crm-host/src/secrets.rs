//! Randomness and hashes by ring.

use crm_domain::ports::host::Secrets;
use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};

/// The operating system's randomness, and SHA-256.
#[derive(Debug, Clone)]
pub struct RingSecrets {
    random: SystemRandom,
}

impl RingSecrets {
    /// Uses the operating system's generator.
    pub fn new() -> Self {
        Self {
            random: SystemRandom::new(),
        }
    }
}

impl Default for RingSecrets {
    fn default() -> Self {
        Self::new()
    }
}

impl Secrets for RingSecrets {
    /// Panics when the operating system gives no randomness: going on would make secrets that can be guessed.
    fn fill(&self, bytes: &mut [u8]) {
        assert!(
            self.random.fill(bytes).is_ok(),
            "the operating system gives no randomness"
        );
    }

    fn hash(&self, bytes: &[u8]) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::RingSecrets;
    use crm_domain::ports::host::Secrets;

    #[test]
    fn tokens_are_long_and_differ() {
        let secrets = RingSecrets::new();
        let (one, two) = (secrets.token(), secrets.token());
        assert_eq!((one.len(), two.len()), (64, 64));
        assert_ne!(one, two);
    }

    #[test]
    fn the_hash_is_sha_256() {
        let hash = RingSecrets::new().hash(b"abc");
        assert_eq!(hash[..4], [0xba, 0x78, 0x16, 0xbf]);
    }
}
