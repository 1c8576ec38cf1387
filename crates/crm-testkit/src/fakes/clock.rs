//! A clock that stands still until it is told otherwise.

use std::sync::Mutex;

use crm_domain::instant::Instant;
use crm_domain::ports::host::Clock;
use time::Duration;

use super::lock;

/// A clock that a test sets.
#[derive(Debug)]
pub struct FixedClock(Mutex<Instant>);

impl FixedClock {
    /// Stands at `now`.
    pub fn at(now: Instant) -> Self {
        Self(Mutex::new(now))
    }

    /// Puts it to `now`.
    pub fn set(&self, now: Instant) {
        *lock(&self.0) = now;
    }

    /// Moves it on, or back by a negative duration.
    pub fn advance(&self, by: Duration) {
        let mut now = lock(&self.0);
        *now = now.plus(by);
    }
}

impl Default for FixedClock {
    /// Stands at [`crate::fixtures::start`].
    fn default() -> Self {
        Self::at(crate::fixtures::start())
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Instant {
        *lock(&self.0)
    }
}
