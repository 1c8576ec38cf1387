//! What those who load the servers had to bear.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One kind of request.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Borne {
    /// Requests that came to their good answer in the end.
    pub(crate) done: u64,
    /// Requests whose first try got no good answer.
    pub(crate) failed_first: u64,
    /// The longest time from the first try to the good answer.
    pub(crate) longest: Duration,
}

/// All of it.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Everything {
    pub(crate) callbacks: Borne,
    pub(crate) pages: Borne,
    pub(crate) messages: Borne,
    /// Live streams: `done` counts signs of messages, `failed_first` reconnections, `longest` the longest silence.
    pub(crate) live: Borne,
}

/// Shared by all callers.
#[derive(Debug, Default)]
pub(crate) struct Watch(Mutex<Everything>);

impl Borne {
    pub(crate) fn took(&mut self, took: Duration, tries: u32) {
        self.done += 1;
        self.failed_first += u64::from(tries > 1);
        self.longest = self.longest.max(took);
    }
}

impl Watch {
    pub(crate) fn borne(&self) -> MutexGuard<'_, Everything> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
