//! A spool in memory.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use crm_domain::ports::spool::{Spool, SpoolError, SpoolId, Spooled};
use crm_domain::receipts::NewReceipt;

use super::lock;

/// Keeps what it is given until it is released, unless it is full.
#[derive(Debug, Default)]
pub struct FakeSpool {
    waiting: Mutex<VecDeque<Spooled>>,
    full: AtomicBool,
    next: AtomicU64,
}

impl FakeSpool {
    /// From now on there is room for nothing, or room again.
    pub fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::Relaxed);
    }
}

#[async_trait]
impl Spool for FakeSpool {
    async fn keep(&self, receipt: &NewReceipt) -> Result<(), SpoolError> {
        self.probe().await?;
        let id = SpoolId {
            file: 0,
            place: self.next.fetch_add(1, Ordering::Relaxed),
        };
        lock(&self.waiting).push_back(Spooled {
            id,
            receipt: receipt.clone(),
        });
        Ok(())
    }

    async fn waiting(&self, limit: usize) -> Result<Vec<Spooled>, SpoolError> {
        Ok(lock(&self.waiting).iter().take(limit).cloned().collect())
    }

    async fn release(&self, ids: Vec<SpoolId>) -> Result<(), SpoolError> {
        lock(&self.waiting).retain(|spooled| !ids.contains(&spooled.id));
        Ok(())
    }

    fn count(&self) -> usize {
        lock(&self.waiting).len()
    }

    async fn probe(&self) -> Result<(), SpoolError> {
        if self.full.load(Ordering::Relaxed) {
            Err(SpoolError::Full)
        } else {
            Ok(())
        }
    }
}
