//! Dates and sizes as people read them.

use std::sync::Arc;

use crm_domain::instant::Instant;
use serde::Serialize;
use time::{Date, OffsetDateTime, UtcOffset, Weekday};

use crate::i18n::Language;

/// Tells the offset of the configured time zone at an instant.
pub type Zone = Arc<dyn Fn(Instant) -> UtcOffset + Send + Sync>;

/// Writes instants in one time zone and language, as seen from one moment.
#[derive(Clone)]
pub struct Times {
    language: Language,
    zone: Zone,
    now: OffsetDateTime,
}

/// How long somebody waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// In words.
    pub words: String,
    /// To the second, shown when the pointer rests on it.
    pub exact: String,
    /// For machines.
    pub iso: String,
    /// Whether the words are minutes and hours, which grow while one looks.
    pub relative: bool,
}

impl Times {
    /// `now` is the moment of the request; `zone` tells the configured time zone's offset.
    pub fn new(language: Language, zone: Zone, now: Instant) -> Times {
        let now = now.at_offset(zone(now));
        Times { language, zone, now }
    }

    fn local(&self, at: Instant) -> OffsetDateTime {
        at.at_offset((self.zone)(at))
    }

    /// `14:05`.
    pub fn clock(&self, at: Instant) -> String {
        clock(self.local(at))
    }

    /// `14:05:33`.
    pub fn clock_with_seconds(&self, at: Instant) -> String {
        let local = self.local(at);
        format!("{}:{:02}", clock(local), local.second())
    }

    /// The moment of the request.
    pub fn now(&self) -> Instant {
        Instant::new(self.now)
    }

    /// The day in the zone, `2025-07-08`, for machines.
    pub fn date_code(&self, at: Instant) -> String {
        let day = self.local(at).date();
        format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
    }

    /// The instant at which this day ends in the zone; `None` at the end of all time.
    pub fn end_of(&self, day: Date) -> Option<Instant> {
        let midnight = day.next_day()?.midnight();
        let about = Instant::new(midnight.assume_offset(self.now.offset()));
        Some(Instant::new(midnight.assume_offset((self.zone)(about))))
    }

    /// `2025-07-08T14:05:33+09:00`, for `<time datetime>`.
    pub fn iso(&self, at: Instant) -> String {
        let local = self.local(at);
        let (hours, minutes, _) = local.offset().as_hms();
        let sign = if local.offset().is_negative() { '-' } else { '+' };
        format!(
            "{}T{:02}:{:02}:{:02}{sign}{:02}:{:02}",
            self.date_code(at),
            local.hour(),
            local.minute(),
            local.second(),
            hours.abs(),
            minutes.abs()
        )
    }

    /// 今日, 昨日, 7月8日（火）; with the year when it is another one.
    pub fn day(&self, at: Instant) -> String {
        let day = self.local(at).date();
        let today = self.now.date();
        match (self.language, (today - day).whole_days()) {
            (Language::Ja, 0) => "今日".to_owned(),
            (Language::Ja, 1) => "昨日".to_owned(),
            (Language::En, 0) => "Today".to_owned(),
            (Language::En, 1) => "Yesterday".to_owned(),
            _ => self.long_day(day, day.year() != today.year()),
        }
    }

    /// 7月8日（火）, for sentences that outlive the day; with the year when it is another one.
    pub fn date(&self, at: Instant) -> String {
        let day = self.local(at).date();
        self.long_day(day, day.year() != self.now.date().year())
    }

    /// The day of the request: 2025年7月9日（水）.
    pub fn today(&self) -> String {
        self.long_day(self.now.date(), true)
    }

    /// 2025年7月8日（火）.
    pub fn full_day(&self, at: Instant) -> String {
        self.long_day(self.local(at).date(), true)
    }

    /// 7月8日（火） 14:05; the day is left out for today.
    pub fn short(&self, at: Instant) -> String {
        if self.local(at).date() == self.now.date() {
            return self.clock(at);
        }
        format!("{} {}", self.day(at), self.clock(at))
    }

    /// 2025年7月8日（火） 14:05:33, shown when the pointer rests on a time.
    pub fn exact(&self, at: Instant) -> String {
        format!(
            "{} {}:{:02}",
            self.full_day(at),
            self.clock(at),
            self.local(at).second()
        )
    }

    /// How long somebody waits, in words: 25分, 3時間5分, 昨日 17:55から, 7/4（金）から. A time that is still to come, which a
    /// clock set back makes, has just begun.
    pub fn waiting(&self, since: Instant) -> Waiting {
        let local = self.local(since);
        let minutes = (self.now - local).whole_minutes().max(0);
        let today = local.date() == self.now.date();
        let relative = minutes < 60 || today;
        let words = if relative {
            self.duration(minutes)
        } else {
            self.since(local)
        };
        Waiting {
            words,
            exact: self.exact(since),
            iso: self.iso(since),
            relative,
        }
    }

    fn duration(&self, minutes: i64) -> String {
        let (hours, rest) = (minutes / 60, minutes % 60);
        match (self.language, hours, rest) {
            (Language::Ja, 0, 0) => "1分未満".to_owned(),
            (Language::Ja, 0, _) => format!("{rest}分"),
            (Language::Ja, _, _) => format!("{hours}時間{rest}分"),
            (Language::En, 0, 0) => "under 1 min".to_owned(),
            (Language::En, 0, _) => format!("{rest} min"),
            (Language::En, _, _) => format!("{hours} h {rest} min"),
        }
    }

    fn since(&self, at: OffsetDateTime) -> String {
        let day = at.date();
        let yesterday = (self.now.date() - day).whole_days() == 1;
        let (month, number) = (u8::from(day.month()), day.day());
        let name = weekday(day.weekday(), self.language);
        let year = day.year();
        match (self.language, yesterday, year == self.now.year()) {
            (Language::Ja, true, _) => format!("昨日 {}から", clock(at)),
            (Language::En, true, _) => format!("since yesterday {}", clock(at)),
            (Language::Ja, false, true) => format!("{month}/{number}（{name}）から"),
            (Language::Ja, false, false) => format!("{year}/{month}/{number}（{name}）から"),
            (Language::En, false, true) => format!("since {name}, {number} {}", month_name(month)),
            (Language::En, false, false) => format!("since {name}, {number} {} {year}", month_name(month)),
        }
    }

    fn long_day(&self, day: Date, with_year: bool) -> String {
        let (month, number) = (u8::from(day.month()), day.day());
        let weekday = weekday(day.weekday(), self.language);
        match (self.language, with_year) {
            (Language::Ja, false) => format!("{month}月{number}日（{weekday}）"),
            (Language::Ja, true) => format!("{}年{month}月{number}日（{weekday}）", day.year()),
            (Language::En, false) => format!("{weekday}, {number} {}", month_name(month)),
            (Language::En, true) => format!("{weekday}, {number} {} {}", month_name(month), day.year()),
        }
    }
}

/// 2,000: as the counter beside a field writes it.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn clock(at: OffsetDateTime) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}

fn weekday(day: Weekday, language: Language) -> &'static str {
    let index = usize::from(day.number_days_from_sunday());
    match language {
        Language::Ja => ["日", "月", "火", "水", "木", "金", "土"][index],
        Language::En => ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][index],
    }
}

fn month_name(month: u8) -> &'static str {
    const NAMES: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    NAMES[usize::from(month.saturating_sub(1)).min(11)]
}

/// Size of a file in words: `850 KB`.
pub fn file_size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KB", bytes / 1024),
        _ => format!("{}.{} MB", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576),
    }
}

/// The beginning of a text on one line, at most `length` characters.
pub fn excerpt(text: &str, length: usize) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= length {
        return line;
    }
    line.chars().take(length).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use crm_domain::instant::Instant;
    use time::macros::offset;

    use super::{Times, excerpt, file_size, grouped};
    use crate::i18n::Language;

    #[test]
    fn thousands_are_grouped() {
        let shown = [0, 999, 2_000, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "2,000", "1,234,567"]);
    }

    fn at(utc: &str) -> Instant {
        let (day, clock) = utc.split_once(' ').unwrap_or_default();
        let seconds = if clock.len() == 5 { ":00" } else { "" };
        Instant::parse(&format!("{day}T{clock}{seconds}Z")).unwrap_or(Instant::from_unix_millis(0))
    }

    fn japanese() -> Times {
        Times::new(
            Language::Ja,
            std::sync::Arc::new(|_| offset!(+9)),
            at("2025-07-09 06:00"),
        )
    }

    #[test]
    fn days_are_told_as_people_say_them() {
        let times = japanese();
        assert_eq!(times.day(at("2025-07-08 15:00")), "今日");
        assert_eq!(times.day(at("2025-07-08 14:59")), "昨日");
        assert_eq!(times.date(at("2025-07-08 15:00")), "7月9日（水）");
        assert_eq!(times.day(at("2025-07-07 03:00")), "7月7日（月）");
        assert_eq!(times.day(at("2024-12-31 15:00")), "1月1日（水）");
        assert_eq!(times.day(at("2024-12-31 14:00")), "2024年12月31日（火）");
        assert_eq!(
            times.exact(at("2025-07-08 05:05:33")),
            "2025年7月8日（火） 14:05:33"
        );
        assert_eq!(times.iso(at("2025-07-08 05:05:33")), "2025-07-08T14:05:33+09:00");
    }

    #[test]
    fn waiting_is_told_in_words() {
        let times = japanese();
        let told = |utc: &str| times.waiting(at(utc)).words;
        assert_eq!(told("2025-07-09 05:35"), "25分");
        assert_eq!(told("2025-07-09 05:59:30"), "1分未満");
        assert_eq!(told("2025-07-09 06:30"), "1分未満");
        assert_eq!(told("2025-07-08 20:55"), "9時間5分");
        assert_eq!(told("2025-07-08 08:55"), "昨日 17:55から");
        assert_eq!(told("2025-07-04 08:55"), "7/4（金）から");
        assert_eq!(told("2024-12-30 08:55"), "2024/12/30（月）から");
        let zone = std::sync::Arc::new(|_| offset!(+9));
        let after_midnight = Times::new(Language::En, zone, at("2025-07-08 15:10"));
        assert_eq!(after_midnight.waiting(at("2025-07-08 14:50")).words, "20 min");
        assert_eq!(
            after_midnight.waiting(at("2025-07-08 13:00")).words,
            "since yesterday 22:00"
        );
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(excerpt("髙橋\n様 𠮷", 10), "髙橋 様 𠮷");
        assert_eq!(excerpt("あいうえお", 3), "あいう…");
        assert_eq!(file_size(870_400), "850 KB");
        assert_eq!(file_size(1_572_864), "1.5 MB");
    }
}
