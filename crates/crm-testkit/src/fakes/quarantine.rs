//! A quarantine in memory, without limits.

use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use crm_domain::instant::Instant;
use crm_domain::ports::quarantine::{HeldCallback, HeldId, Quarantine, QuarantineError};

use super::lock;

/// Holds what it is given until it is released.
#[derive(Debug, Default)]
pub struct FakeQuarantine {
    held: Mutex<Vec<(HeldId, HeldCallback)>>,
    next: AtomicU64,
}

#[async_trait]
impl Quarantine for FakeQuarantine {
    fn admits(&self, _: Option<IpAddr>, _: usize) -> bool {
        true
    }

    fn hold(&self, callback: HeldCallback) {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.held).push((id, callback));
    }

    async fn held(&self, _: Instant) -> Result<Vec<(HeldId, HeldCallback)>, QuarantineError> {
        Ok(lock(&self.held).clone())
    }

    async fn release(&self, ids: Vec<HeldId>) -> Result<(), QuarantineError> {
        lock(&self.held).retain(|(id, _)| !ids.contains(id));
        Ok(())
    }
}
