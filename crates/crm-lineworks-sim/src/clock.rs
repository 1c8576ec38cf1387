//! The clock that the simulator goes by: the machine's, or one that a test moves.

use hyper::header::HeaderValue;
use std::fmt;
use std::sync::Arc;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// `Tue, 08 Jul 2025 02:45:46 GMT`.
const DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// The value of an answer's `Date` at this time, in UTC.
pub(crate) fn date(now: OffsetDateTime) -> Option<HeaderValue> {
    now.format(DATE).ok()?.parse().ok()
}

/// Tells the simulator the time; tests put a clock of their own here to age tokens and rate windows.
#[derive(Clone)]
pub struct SimClock(Arc<dyn Fn() -> OffsetDateTime + Send + Sync>);

impl SimClock {
    /// A clock that asks `now` each time.
    pub fn new(now: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The machine's clock.
    pub fn system() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the simulator stands for a foreign machine with its own clock"
        )]
        Self::new(OffsetDateTime::now_utc)
    }

    /// The time now, in UTC.
    pub fn now(&self) -> OffsetDateTime {
        (self.0)()
    }
}

impl Default for SimClock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for SimClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimClock")
    }
}
