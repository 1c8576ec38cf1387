//! A person's name and how it is read.

use super::Problem;
use super::normalise::to_katakana;
use super::plain_text::line;

/// 姓 and 名: at least one of them, each one line of at most 100 characters; the missing one is empty text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PersonName {
    last: String,
    first: String,
}

impl PersonName {
    /// The most characters each part may have.
    pub const MAX: usize = 100;

    /// Both parts; the error says which of them is at fault (`last_name`, `first_name`).
    pub fn new(last: &str, first: &str) -> Result<Self, Vec<super::FieldError>> {
        match (line(last, Self::MAX), line(first, Self::MAX)) {
            (Ok(last), Ok(first)) if last.is_empty() && first.is_empty() => {
                Err(vec![super::FieldError::new("last_name", Problem::Required)])
            }
            (Ok(last), Ok(first)) => Ok(Self { last, first }),
            (last, first) => Err(pair_errors(
                ["last_name", "first_name"],
                [last.err(), first.err()],
            )),
        }
    }

    /// 姓, may be empty.
    pub fn last(&self) -> &str {
        &self.last
    }

    /// 名, may be empty.
    pub fn first(&self) -> &str {
        &self.first
    }

    /// 姓 and 名 with one blank between them, as names are written in Japanese.
    pub fn full(&self) -> String {
        join(&self.last, &self.first)
    }
}

/// セイ and メイ in katakana; each may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PersonReading {
    last: String,
    first: String,
}

impl PersonReading {
    /// The most characters each part may have.
    pub const MAX: usize = 100;

    /// Accepts hiragana and half-width kana; other letters stay as typed (foreign names).
    pub fn new(last: &str, first: &str) -> Result<Self, Vec<super::FieldError>> {
        match (
            line(&to_katakana(last), Self::MAX),
            line(&to_katakana(first), Self::MAX),
        ) {
            (Ok(last), Ok(first)) => Ok(Self { last, first }),
            (last, first) => Err(pair_errors(
                ["last_name_kana", "first_name_kana"],
                [last.err(), first.err()],
            )),
        }
    }

    /// セイ, may be empty.
    pub fn last(&self) -> &str {
        &self.last
    }

    /// メイ, may be empty.
    pub fn first(&self) -> &str {
        &self.first
    }

    /// Both with one blank between them; empty if both are.
    pub fn full(&self) -> String {
        join(&self.last, &self.first)
    }
}

fn join(last: &str, first: &str) -> String {
    [last, first]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn pair_errors(fields: [&'static str; 2], problems: [Option<Problem>; 2]) -> Vec<super::FieldError> {
    fields
        .into_iter()
        .zip(problems)
        .filter_map(|(field, problem)| Some(super::FieldError::new(field, problem?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{PersonName, PersonReading};

    #[test]
    fn one_part_is_enough_and_none_is_not() {
        assert_eq!(
            PersonName::new("", "花子").map(|name| name.full()),
            Ok("花子".to_owned())
        );
        assert_eq!(
            PersonName::new(" 山田　", "").map(|name| name.full()),
            Ok("山田".to_owned())
        );
        assert!(PersonName::new(" ", "　").is_err());
    }

    #[test]
    fn both_parts_report_their_own_problem() {
        let errors = PersonName::new(&"あ".repeat(101), "a\nb").unwrap_err();
        assert_eq!(
            errors
                .iter()
                .map(|e| (e.field, e.problem.code()))
                .collect::<Vec<_>>(),
            [("last_name", "too_long"), ("first_name", "control_character")]
        );
    }

    #[test]
    fn readings_are_kept_in_katakana() {
        assert_eq!(
            PersonReading::new("やまだ", "ﾊﾅｺ").map(|reading| reading.full()),
            Ok("ヤマダ ハナコ".to_owned())
        );
    }
}
