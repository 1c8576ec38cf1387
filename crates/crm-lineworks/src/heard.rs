//! What the headers of an answer say besides its status.

use crm_domain::instant::Instant;
use crm_domain::ports::messenger::{Heard, RateLimit};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::http::Answer;

/// Reads the clock and the limits of an answer.
pub(crate) fn heard(answer: &Answer) -> Heard {
    let number = |name| answer.header(name).and_then(whole);
    let rate = RateLimit {
        limit: number("ratelimit-limit"),
        remaining: number("ratelimit-remaining"),
        reset: number("ratelimit-reset"),
    };
    Heard {
        at: answer.header("date").and_then(date),
        rate: Some(rate).filter(|rate| *rate != RateLimit::default()),
    }
}

/// The whole part of a number.
pub(crate) fn whole(text: &str) -> Option<u32> {
    text.trim().split('.').next()?.parse().ok()
}

/// `Tue, 08 Jul 2025 02:45:46 GMT`.
fn date(text: &str) -> Option<Instant> {
    let at = OffsetDateTime::parse(text.trim(), &Rfc2822).ok()?;
    (at.year() > 0).then(|| Instant::new(at))
}

#[cfg(test)]
mod tests {
    use super::{date, whole};

    #[test]
    fn the_clock_of_an_answer_is_read() {
        let at = date("Tue, 08 Jul 2025 02:45:46 GMT").map(|at| at.to_string());
        assert_eq!(at.as_deref(), Some("2025-07-08T02:45:46.000Z"));
        for odd in ["", "yesterday", "2025-07-08T02:45:46Z"] {
            assert_eq!(date(odd), None, "{odd}");
        }
    }

    #[test]
    fn numbers_lose_their_fraction() {
        let read = ["17", " 2.5 ", "soon", "-1", "99999999999"].map(whole);
        assert_eq!(read, [Some(17), Some(2), None, None, None]);
    }
}
