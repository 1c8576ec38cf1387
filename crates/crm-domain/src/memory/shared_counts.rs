//! Shared counts in memory.

use time::Duration;

use super::leases::store_now;
use super::unit::Unit;
use crate::instant::Instant;
use crate::ports::store::StoreError;
use crate::shared_counts::{SharedCount, SharedCountQueries, SharedCountRepository};

#[derive(Debug, Clone)]
pub(super) struct CountRow {
    instance: String,
    told: SharedCount,
    at: Instant,
}

impl SharedCountQueries for Unit {
    fn others_counts(&mut self, instance: &str, within: Duration) -> Result<Vec<SharedCount>, StoreError> {
        self.look(|state| {
            let since = store_now().minus(within);
            let rows = state.shared_counts.iter().map(|(_, row)| row);
            rows.filter(|row| row.instance != instance && row.at > since)
                .map(|row| row.told.clone())
                .collect()
        })
    }
}

impl SharedCountRepository for Unit {
    fn tell_counts(&mut self, instance: &str, counts: &[SharedCount]) -> Result<(), StoreError> {
        self.change(|state| {
            state.shared_counts.retain(|row| {
                row.instance != instance || counts.iter().all(|count| count.name != row.told.name)
            });
            for told in counts {
                state.shared_counts.insert(|_| CountRow {
                    instance: instance.to_owned(),
                    told: told.clone(),
                    at: store_now(),
                });
            }
            Ok(())
        })
    }

    fn forget_counts(&mut self, age: Duration) -> Result<usize, StoreError> {
        self.change(|state| {
            let before = store_now().minus(age);
            let count = state.shared_counts.iter().count();
            state.shared_counts.retain(|row| row.at > before);
            Ok(count - state.shared_counts.iter().count())
        })
    }
}
