//! Points in time: UTC, cut to milliseconds, so that every store gives back what it was given.

use std::fmt;

use time::format_description::well_known::{Iso8601, Rfc3339};
use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// A point in time, UTC, whole milliseconds, between the years 1 and 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(PrimitiveDateTime);

impl Instant {
    /// Cuts to milliseconds and converts to UTC.
    pub fn new(at: OffsetDateTime) -> Self {
        let utc = at.to_offset(UtcOffset::UTC);
        Self::from_utc(PrimitiveDateTime::new(utc.date(), utc.time()))
    }

    /// Takes a date and time that is UTC already, as stores keep it; cuts to milliseconds.
    pub fn from_utc(at: PrimitiveDateTime) -> Self {
        let excess = i64::from(at.nanosecond() % 1_000_000);
        Self(at - Duration::nanoseconds(excess))
    }

    /// Reads what LINE WORKS writes (`2025-07-08T02:45:46.446Z`, with or without fraction, any offset).
    /// `None` when the text is no instant.
    pub fn parse(text: &str) -> Option<Self> {
        OffsetDateTime::parse(text, &Rfc3339)
            .or_else(|_| OffsetDateTime::parse(text, &Iso8601::DEFAULT))
            .ok()
            .and_then(|at| at.checked_to_offset(UtcOffset::UTC))
            .filter(|at| at.year() > 0)
            .map(Self::new)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z. Out of range values are pulled to the nearest instant.
    pub fn from_unix_millis(millis: i64) -> Self {
        let nanos = i128::from(millis) * 1_000_000;
        let at = OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(if millis < 0 {
            time::macros::datetime!(0001-01-01 0:00 UTC)
        } else {
            time::macros::datetime!(9999-12-31 23:59:59.999 UTC)
        });
        Self::new(at)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn unix_millis(self) -> i64 {
        let utc = self.0.assume_utc();
        utc.unix_timestamp() * 1_000 + i64::from(utc.millisecond())
    }

    /// Date and time in UTC without offset, the shape that stores keep.
    pub fn utc(self) -> PrimitiveDateTime {
        self.0
    }

    /// The same point in time at another offset, for showing.
    pub fn at_offset(self, offset: UtcOffset) -> OffsetDateTime {
        self.0.assume_utc().to_offset(offset)
    }

    /// This instant moved by `by`; stays where it is if the result cannot be expressed.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        self.0.checked_add(by).map_or(self, Self)
    }

    /// This instant moved back by `by`; stays where it is if the result cannot be expressed.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        self.0.checked_sub(by).map_or(self, Self)
    }

    /// How long after `earlier` this is; negative if before.
    pub fn since(self, earlier: Self) -> Duration {
        self.0 - earlier.0
    }
}

impl fmt::Display for Instant {
    /// ISO 8601 in UTC with milliseconds: `2025-07-08T02:45:46.446Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape =
            format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
        f.write_str(&self.0.format(shape).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::Instant;

    #[test]
    fn issued_times_with_and_without_fraction_are_read() {
        for (text, shown) in [
            ("2025-07-08T02:45:46.446Z", "2025-07-08T02:45:46.446Z"),
            ("2025-07-08T02:45:46Z", "2025-07-08T02:45:46.000Z"),
            ("2025-07-08T11:45:46.4469+09:00", "2025-07-08T02:45:46.446Z"),
        ] {
            assert_eq!(
                Instant::parse(text).map(|at| at.to_string()),
                Some(shown.to_owned())
            );
        }
        assert_eq!(Instant::parse("yesterday"), None);
    }

    #[test]
    fn times_outside_our_years_are_none() {
        for text in [
            "9999-12-31T23:59:59-01:00",
            "0000-01-01T00:00:00+01:00",
            "0001-01-01T00:00:00+00:01",
        ] {
            assert_eq!(Instant::parse(text), None, "{text}");
        }
    }

    #[test]
    fn unix_millis_there_and_back() {
        for millis in [0, 1_751_942_746_446, -1] {
            assert_eq!(Instant::from_unix_millis(millis).unix_millis(), millis);
        }
    }
}
