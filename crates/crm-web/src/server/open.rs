//! Counts the connections that are open.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// How many connections are open; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Open(Arc<AtomicUsize>);

/// One of them; dropping it counts it off.
#[derive(Debug)]
pub(super) struct Entered(Open);

impl Open {
    /// Counts one more.
    pub(super) fn enter(&self) -> Entered {
        self.0.fetch_add(1, Relaxed);
        Entered(self.clone())
    }

    /// How many there are now.
    pub fn now(&self) -> usize {
        self.0.load(Relaxed)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}
