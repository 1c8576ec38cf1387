//! Telephone numbers: no number plan is checked, only that it is one.

use unicode_normalization::UnicodeNormalization;

use super::Problem;
use super::normalise::digits;

/// A telephone number of 4 to 20 digits, written with ASCII digits, `-`, blanks, brackets and a leading `+`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// `None` for an empty text. Full-width digits and every kind of dash are put right.
    pub fn new(text: &str) -> Result<Option<Self>, Problem> {
        // Dashes first: NFKC turns U+FF70 into the kana mark U+30FC, and a person may have typed either as a dash.
        let text: String = text.trim().chars().map(dash_to_hyphen).nfkc().collect();
        if text.is_empty() {
            return Ok(None);
        }
        if !text.chars().enumerate().all(|(at, c)| allowed(at, c)) {
            return Err(Problem::Malformed);
        }
        match digits(&text).len() {
            0..4 => Err(Problem::TooShort { min: 4 }),
            4..=20 => Ok(Some(Self(text))),
            _ => Err(Problem::TooLong { max: 20 }),
        }
    }

    /// As typed, put right: `03-1234-5678`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits of a number's beginning as somebody types it to find one; empty if it is something else.
    pub fn prefix_key(typed: &str) -> String {
        let text: String = typed.trim().chars().map(dash_to_hyphen).nfkc().collect();
        if text.chars().enumerate().all(|(at, c)| allowed(at, c)) {
            digits(&text)
        } else {
            String::new()
        }
    }

    /// Its digits, the form under which numbers are compared and found.
    pub fn key(&self) -> String {
        digits(&self.0)
    }
}

fn dash_to_hyphen(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30FC}' | '\u{FF0D}' | '\u{FF70}' => '-',
        _ => c,
    }
}

fn allowed(at: usize, c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '-' | ' ' | '(' | ')' | '.') || (c == '+' && at == 0)
}

#[cfg(test)]
mod tests {
    use super::PhoneNumber;

    #[test]
    fn every_dash_and_width_is_put_right() {
        for dash in ["-", "‐", "‑", "–", "—", "―", "−", "ー", "－", "ｰ"] {
            let typed = format!("０３{dash}１２３４{dash}５６７８");
            let number = PhoneNumber::new(&typed).ok().flatten();
            assert_eq!(
                number.as_ref().map(PhoneNumber::as_str),
                Some("03-1234-5678"),
                "{dash}"
            );
            assert_eq!(number.map(|n| n.key()).as_deref(), Some("0312345678"));
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for bad in [
            "abc",
            "123",
            "03-1234-5678 内線12",
            "1".repeat(21).as_str(),
            "03+1234",
        ] {
            assert!(PhoneNumber::new(bad).is_err(), "{bad}");
        }
        assert!(matches!(PhoneNumber::new("+81 (3) 1234-5678"), Ok(Some(_))));
        assert_eq!(PhoneNumber::new(""), Ok(None));
    }
}
