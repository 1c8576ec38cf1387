//! Randomness that comes out the same in each run.

use std::sync::atomic::{AtomicU64, Ordering};

use crm_domain::ports::host::Secrets;
use ring::digest::{SHA256, digest};

/// Bytes from a counter: different at each call, the same in each run. The hash is SHA-256.
#[derive(Debug, Default)]
pub struct SeededSecrets {
    seed: u64,
    next: AtomicU64,
}

impl SeededSecrets {
    /// Another seed gives other bytes.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            next: AtomicU64::new(0),
        }
    }
}

impl Secrets for SeededSecrets {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let count = self.next.fetch_add(1, Ordering::Relaxed);
            let block = sha256(format!("{}:{count}", self.seed).as_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }

    fn hash(&self, bytes: &[u8]) -> [u8; 32] {
        sha256(bytes)
    }
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}
