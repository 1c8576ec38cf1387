//! `CRM_TIMEZONE`: in which times are shown, days begin and local times are read.

use std::fmt;

use crm_domain::instant::Instant;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone as Zone};
use time::{PrimitiveDateTime, UtcOffset};

/// A time zone by its IANA name; the table of zones is in the program.
#[derive(Clone)]
pub struct TimeZone {
    name: String,
    zone: Zone,
}

impl TimeZone {
    /// `Asia/Tokyo`, `UTC`, …; `None` for a name that is none.
    pub fn named(name: &str) -> Option<Self> {
        let zone = Zone::get(name).ok()?;
        Some(Self {
            name: zone.iana_name().unwrap_or(name).to_owned(),
            zone,
        })
    }

    /// Japan: nine hours ahead of UTC, all year.
    pub fn tokyo() -> Self {
        Self {
            name: "Asia/Tokyo".to_owned(),
            zone: Zone::fixed(jiff::tz::offset(9)),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How far it is from UTC at this instant.
    pub fn offset_at(&self, at: Instant) -> UtcOffset {
        let at = Timestamp::from_millisecond(at.unix_millis()).unwrap_or(Timestamp::UNIX_EPOCH);
        to_utc_offset(self.zone.to_offset(at))
    }

    /// The instant of a local date and time. One that occurs twice is the earlier of the two; one that is skipped is as
    /// much later as the clock was put forward.
    pub fn instant_of(&self, local: PrimitiveDateTime) -> Instant {
        let offset = civil(local).and_then(|civil| {
            let zoned = self.zone.to_ambiguous_timestamp(civil).compatible().ok()?;
            Some(to_utc_offset(self.zone.to_offset(zoned)))
        });
        Instant::new(local.assume_offset(offset.unwrap_or(UtcOffset::UTC)))
    }
}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn civil(local: PrimitiveDateTime) -> Option<DateTime> {
    let small = |value: u8| i8::try_from(value).ok();
    DateTime::new(
        i16::try_from(local.year()).ok()?,
        small(u8::from(local.month()))?,
        small(local.day())?,
        small(local.hour())?,
        small(local.minute())?,
        small(local.second())?,
        i32::try_from(local.nanosecond()).ok()?,
    )
    .ok()
}

fn to_utc_offset(offset: Offset) -> UtcOffset {
    UtcOffset::from_whole_seconds(offset.seconds()).unwrap_or(UtcOffset::UTC)
}

#[cfg(test)]
mod tests {
    use super::TimeZone;
    use crm_domain::instant::Instant;
    use time::macros::datetime;

    #[test]
    fn zones_with_and_without_summer_time() {
        let at = Instant::parse("2025-07-08T02:45:46Z").unwrap();
        for (name, seconds) in [
            ("Asia/Tokyo", 32_400),
            ("UTC", 0),
            ("Europe/Berlin", 7_200),
            ("Asia/Kolkata", 19_800),
        ] {
            let zone = TimeZone::named(name).unwrap();
            assert_eq!(zone.offset_at(at).whole_seconds(), seconds, "{name}");
        }
        assert!(TimeZone::named("Tokyo").is_none());
        assert_eq!(TimeZone::tokyo().offset_at(at).whole_seconds(), 32_400);
    }

    #[test]
    fn local_times_are_read() {
        let tokyo = TimeZone::named("Asia/Tokyo").unwrap();
        let read = tokyo.instant_of(datetime!(2025-07-08 11:45:46.446));
        assert_eq!(read.to_string(), "2025-07-08T02:45:46.446Z");
        let berlin = TimeZone::named("Europe/Berlin").unwrap();
        let skipped = berlin.instant_of(datetime!(2025-03-30 02:30:00));
        assert!(skipped.to_string().starts_with("2025-03-30T0"), "{skipped}");
    }
}
