//! The old system's times: local text with or without fraction, or ISO with or without offset.

use crm_compose::TimeZone;
use crm_domain::instant::Instant;
use time::{Date, Month, PrimitiveDateTime, Time};

/// The instant of a time as written; without an offset it is local. `None` if it cannot be read.
pub(crate) fn read(text: &str, zone: &TimeZone) -> Option<Instant> {
    let text = text.trim();
    let (date, rest) = split_date(text)?;
    let rest = rest.trim_start_matches(['T', 't', ' ']);
    let (clock, offset) = split_offset(rest);
    let local = PrimitiveDateTime::new(date, read_clock(clock.trim())?);
    match offset {
        None => Some(zone.instant_of(local)),
        Some(offset) => Instant::parse(&format!("{}{}", iso(local), colon(offset)?)),
    }
}

fn split_date(text: &str) -> Option<(Date, &str)> {
    let end = text.find(['T', 't', ' ']).unwrap_or(text.len());
    let (day, rest) = text.split_at_checked(end)?;
    let mut parts = day.split(['-', '/']);
    let year = parts.next().filter(|year| year.len() == 4)?.parse().ok()?;
    let month = Month::try_from(parts.next()?.parse::<u8>().ok()?).ok()?;
    let day = parts.next()?.parse().ok()?;
    if parts.next().is_some() {
        return None;
    }
    Some((Date::from_calendar_date(year, month, day).ok()?, rest))
}

/// What comes behind the clock: `Z`, `+09:00`, `-0500`.
fn split_offset(text: &str) -> (&str, Option<&str>) {
    match text.find(['Z', 'z', '+', '-']) {
        Some(at) => (&text[..at], Some(&text[at..])),
        None => (text, None),
    }
}

/// Hours and minutes with an optional second and fraction; nothing is midnight.
fn read_clock(text: &str) -> Option<Time> {
    if text.is_empty() {
        return Some(Time::MIDNIGHT);
    }
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let mut parts = whole.split(':').map(|part| part.parse::<u8>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    if parts.next().is_some() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let millis = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    Time::from_hms_milli(hour, minute, second, millis).ok()
}

fn iso(local: PrimitiveDateTime) -> String {
    // The same digits as an instant has, without its mark for UTC.
    Instant::from_utc(local)
        .to_string()
        .trim_end_matches('Z')
        .to_owned()
}

fn colon(offset: &str) -> Option<String> {
    let digits = offset.get(1..)?;
    match (offset.as_bytes().first()?, digits.len()) {
        (b'Z' | b'z', 0) => Some("Z".to_owned()),
        (b'+' | b'-', 5) => Some(offset.to_owned()),
        (b'+' | b'-', 4) => Some(format!("{}:{}", offset.get(..3)?, offset.get(3..)?)),
        (b'+' | b'-', 2) => Some(format!("{offset}:00")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crm_compose::TimeZone;

    #[test]
    fn every_way_of_writing_a_time() {
        let tokyo = TimeZone::tokyo();
        for (text, instant) in [
            ("2025-07-08 11:45:46", "2025-07-08T02:45:46.000Z"),
            ("2025-07-08 11:45:46.446000", "2025-07-08T02:45:46.446Z"),
            ("2025-07-08 11:45:46.4", "2025-07-08T02:45:46.400Z"),
            ("2025-07-08T11:45:46", "2025-07-08T02:45:46.000Z"),
            ("2025-07-08T11:45:46.446", "2025-07-08T02:45:46.446Z"),
            ("2025-07-08T02:45:46.446Z", "2025-07-08T02:45:46.446Z"),
            ("2025-07-08 11:45:46.446000+09:00", "2025-07-08T02:45:46.446Z"),
            ("2025-07-08T04:45:46+0200", "2025-07-08T02:45:46.000Z"),
            ("2025-07-08 11:45", "2025-07-08T02:45:00.000Z"),
            ("2025/7/8 11:45:46", "2025-07-08T02:45:46.000Z"),
            ("2025-07-08", "2025-07-07T15:00:00.000Z"),
        ] {
            assert_eq!(
                read(text, &tokyo).map(|at| at.to_string()).as_deref(),
                Some(instant),
                "{text}"
            );
        }
        for text in [
            "",
            "昨日",
            "2025-13-01 00:00:00",
            "2025-07-08 25:00:00",
            "1751942746",
            "2025-07-08 11:45:46 JST",
        ] {
            assert_eq!(read(text, &tokyo), None, "{text}");
        }
    }
}
