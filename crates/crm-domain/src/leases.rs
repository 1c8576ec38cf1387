//! Leases: of several instances one does a job, for as long as it renews its lease. All times are by the database's clock,
//! because the clocks of machines differ.

use time::Duration;

use crate::instant::Instant;
use crate::ports::store::StoreError;

/// A lease as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who has it, or had it last: the random id of a process start.
    pub owner: String,
    /// Until when.
    pub until: Instant,
    /// Counts how often it went to another owner.
    pub number: i64,
}

/// Looking leases up.
pub trait LeaseQueries {
    /// Now, by the database's clock.
    fn database_now(&mut self) -> Result<Instant, StoreError>;

    /// The lease of this name, over or not; `None` if nobody ever had it.
    fn lease(&mut self, name: &str) -> Result<Option<Lease>, StoreError>;
}

/// Taking leases and giving them back.
pub trait LeaseRepository {
    /// Takes a lease that nobody has, or renews one's own; it lasts so long from now on, by the database's clock. `false`
    /// if another owner has it: a living lease is never taken away, also not between two at the same moment.
    fn take_lease(&mut self, name: &str, owner: &str, lasts: Duration) -> Result<bool, StoreError>;

    /// Ends one's own lease, so that another can take it at once; somebody else's stays.
    fn give_back_lease(&mut self, name: &str, owner: &str) -> Result<(), StoreError>;

    /// Forgets one's own lease for good: for names that nobody uses again. Somebody else's stays.
    fn drop_lease(&mut self, name: &str, owner: &str) -> Result<(), StoreError>;
}
