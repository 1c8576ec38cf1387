//! The rate limit: requests a minute for each operation of the tenant.

use std::collections::HashMap;
use time::{Duration, OffsetDateTime};

/// The documentation does not say whether the window is fixed or slides; here it is fixed.
const WINDOW: Duration = Duration::MINUTE;

/// How an operation stands after a request, as the headers tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// Seconds until the window begins anew, at least 1.
    pub(crate) reset: i64,
    /// False when this request was one too many.
    pub(crate) within: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Windows(HashMap<&'static str, (OffsetDateTime, u32)>);

impl Windows {
    /// Counts a request to `operation`.
    pub(crate) fn count(&mut self, operation: &'static str, limit: u32, now: OffsetDateTime) -> Standing {
        let (began, used) = self.0.entry(operation).or_insert((now, 0));
        if now - *began >= WINDOW || now < *began {
            (*began, *used) = (now, 0);
        }
        let within = *used < limit;
        *used = used.saturating_add(u32::from(within));
        let left = WINDOW - (now - *began);
        let reset = left.whole_seconds() + i64::from(left.subsec_nanoseconds() > 0);
        Standing {
            limit,
            remaining: limit - *used,
            reset: reset.max(1),
            within,
        }
    }
}
