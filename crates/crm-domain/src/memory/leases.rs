//! Leases in memory. The store's own clock is the machine's.

use std::time::{SystemTime, UNIX_EPOCH};

use time::Duration;

use super::unit::Unit;
use crate::instant::Instant;
use crate::leases::{Lease, LeaseQueries, LeaseRepository};
use crate::ports::store::StoreError;

#[derive(Debug, Clone)]
pub(super) struct LeaseRow {
    name: String,
    lease: Lease,
}

/// Now, by this store's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "leases go by the database's clock, and here the database is this process"
)]
pub(super) fn store_now() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::from_unix_millis(i64::try_from(since.as_millis()).unwrap_or_default())
}

/// Whether a lease until then lives.
pub(super) fn lives(until: Option<Instant>) -> bool {
    until.is_some_and(|until| until > store_now())
}

impl LeaseQueries for Unit {
    fn database_now(&mut self) -> Result<Instant, StoreError> {
        self.look(|_| store_now())
    }

    fn lease(&mut self, name: &str) -> Result<Option<Lease>, StoreError> {
        self.look(|state| {
            let found = state.leases.iter().find(|(_, row)| row.name == name);
            found.map(|(_, row)| row.lease.clone())
        })
    }
}

impl LeaseRepository for Unit {
    fn take_lease(&mut self, name: &str, owner: &str, lasts: Duration) -> Result<bool, StoreError> {
        self.change(|state| {
            let until = store_now().plus(lasts);
            let Some(row) = state.leases.iter_mut().find(|row| row.name == name) else {
                state.leases.insert(|_| LeaseRow {
                    name: name.to_owned(),
                    lease: Lease {
                        owner: owner.to_owned(),
                        until,
                        number: 1,
                    },
                });
                return Ok(true);
            };
            let ours = row.lease.owner == owner;
            if !ours && lives(Some(row.lease.until)) {
                return Ok(false);
            }
            row.lease = Lease {
                owner: owner.to_owned(),
                until,
                number: row.lease.number + i64::from(!ours),
            };
            Ok(true)
        })
    }

    fn give_back_lease(&mut self, name: &str, owner: &str) -> Result<(), StoreError> {
        self.change(|state| {
            let all = state.leases.iter_mut();
            for row in all.filter(|row| row.name == name && row.lease.owner == owner) {
                row.lease.until = row.lease.until.min(store_now());
            }
            Ok(())
        })
    }

    fn drop_lease(&mut self, name: &str, owner: &str) -> Result<(), StoreError> {
        self.change(|state| {
            state
                .leases
                .retain(|row| row.name != name || row.lease.owner != owner);
            Ok(())
        })
    }
}
