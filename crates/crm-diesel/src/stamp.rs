//! Instants as the databases keep them.

use crm_domain::dossiers::Datum;
use crm_domain::instant::Instant;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Timestamp;
#[cfg(feature = "sqlite")]
use time::{Date, Month, Time};

/// An instant in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = Timestamp)]
pub(crate) struct Stamp(pub(crate) Instant);

impl Stamp {
    /// Stands in `deleted_at` of rows whose import is not finished: nobody deleted anything in the year 1.
    pub(crate) fn unfinished_import() -> Self {
        Self(Instant::from_utc(time::macros::datetime!(0001-01-01 0:00)))
    }
}

impl From<Stamp> for Datum {
    fn from(at: Stamp) -> Self {
        Self::Text(at.0.to_string())
    }
}

/// `2025-07-08 02:45:46.446`.
#[cfg(feature = "sqlite")]
pub fn write(at: Instant) -> String {
    let at = at.utc();
    let (year, month, day) = at.to_calendar_date();
    let (hour, minute, second, milli) = at.time().as_hms_milli();
    format!(
        "{year:04}-{:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{milli:03}",
        u8::from(month)
    )
}

/// Reads what [`write()`] wrote; also without fraction or seconds, and with `T` or `Z`.
#[cfg(feature = "sqlite")]
pub fn read(text: &str) -> Option<Instant> {
    let (date, clock) = text.split_once([' ', 'T'])?;
    let mut date = date.splitn(3, '-');
    let mut part = || date.next();
    let (year, month, day) = (part()?.parse().ok()?, part()?, part()?);
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    let date = Date::from_calendar_date(year, month, day.parse().ok()?).ok()?;
    let mut clock = clock.strip_suffix('Z').unwrap_or(clock).splitn(3, ':');
    let (hour, minute) = (clock.next()?.parse().ok()?, clock.next()?.parse().ok()?);
    let (second, milli) = seconds(clock.next().unwrap_or("0"))?;
    let time = Time::from_hms_milli(hour, minute, second, milli).ok()?;
    Some(Instant::from_utc(date.with_time(time)))
}

#[cfg(feature = "sqlite")]
fn seconds(text: &str) -> Option<(u8, u16)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let milli = fraction
        .bytes()
        .chain(*b"000")
        .take(3)
        .fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    Some((whole.parse().ok()?, milli))
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::{Stamp, read, write};
    use crm_domain::instant::Instant;

    #[test]
    fn instants_come_back_and_sort_as_text() {
        let instants = [
            -62_135_596_800_000,
            -1,
            0,
            5,
            500,
            1_751_942_746_446,
            253_402_300_799_999,
        ]
        .map(Instant::from_unix_millis);
        let texts = instants.map(write);
        assert!(texts.is_sorted());
        assert_eq!(texts.clone().map(|text| read(&text)), instants.map(Some));
        assert_eq!(texts.get(5).map(String::as_str), Some("2025-07-08 02:45:46.446"));
        assert_eq!(write(Stamp::unfinished_import().0), "0001-01-01 00:00:00.000");
    }

    #[test]
    fn other_shapes_are_read_and_nonsense_is_not() {
        for (text, shown) in [
            ("2025-07-08 02:45:46", "2025-07-08T02:45:46.000Z"),
            ("2025-07-08 02:45:46.5", "2025-07-08T02:45:46.500Z"),
            ("2025-07-08T02:45:46.446999Z", "2025-07-08T02:45:46.446Z"),
            ("2025-07-08 02:45", "2025-07-08T02:45:00.000Z"),
        ] {
            assert_eq!(read(text).map(|at| at.to_string()).as_deref(), Some(shown));
        }
        for bad in [
            "",
            "2025-07-08",
            "2025-13-01 00:00:00",
            "2025-07-08 02:45:46.x",
            "yesterday 1:2",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
