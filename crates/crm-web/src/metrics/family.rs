//! Counters of one name that differ by labels whose values are words of ours.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use metrics::Counter;

use super::registry::Registry;

/// The counters of one name. Counting one that was counted before allocates nothing.
pub(super) struct Family<const N: usize> {
    registry: Arc<Registry>,
    name: &'static str,
    labels: [&'static str; N],
    known: RwLock<HashMap<[&'static str; N], Counter>>,
}

impl<const N: usize> Family<N> {
    /// None counted yet.
    pub(super) fn new(registry: &Arc<Registry>, name: &'static str, labels: [&'static str; N]) -> Self {
        Self {
            registry: Arc::clone(registry),
            name,
            labels,
            known: RwLock::default(),
        }
    }

    /// Shows the counter with these values from now on, at 0.
    pub(super) fn begin(&self, values: [&'static str; N]) {
        self.counter(values).increment(0);
    }

    /// Counts one.
    pub(super) fn count(&self, values: [&'static str; N]) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = known.get(&values) {
            counter.increment(1);
            return;
        }
        drop(known);
        self.counter(values).increment(1);
    }

    fn counter(&self, values: [&'static str; N]) -> Counter {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let labels: Vec<_> = self.labels.iter().copied().zip(values).collect();
            self.registry.counter(self.name, &labels)
        };
        known.entry(values).or_insert_with(new).clone()
    }
}
