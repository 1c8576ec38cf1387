//! Counts that hold for all instances together: each tells now and then what it counted, and asks what the others did. So a
//! limit costs no write for each request. Times are by the database's clock.

use time::Duration;

use crate::ports::store::StoreError;

/// A count of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedCount {
    /// Of what: `area/which`.
    pub name: String,
    /// How many.
    pub count: i64,
}

/// Asking for counts.
pub trait SharedCountQueries {
    /// What the other instances told within the last `within`; of one name there may be several.
    fn others_counts(&mut self, instance: &str, within: Duration) -> Result<Vec<SharedCount>, StoreError>;
}

/// Telling counts.
pub trait SharedCountRepository {
    /// Tells these of this instance, in place of what it told under the same names.
    fn tell_counts(&mut self, instance: &str, counts: &[SharedCount]) -> Result<(), StoreError>;

    /// Forgets what was told longer ago than `age`, whoever told it; says how many.
    fn forget_counts(&mut self, age: Duration) -> Result<usize, StoreError>;
}
