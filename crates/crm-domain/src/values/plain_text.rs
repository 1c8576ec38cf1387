//! Short texts with a limit: company names, addresses, remarks.

use super::normalise::{self, tidy};
use super::{PersonReading, Problem};

/// Checks a one-line text: no control characters, at most `max` characters. Empty is fine here.
pub(super) fn line(text: &str, max: usize) -> Result<String, Problem> {
    let text = tidy(text);
    if text.chars().any(char::is_control) {
        return Err(Problem::ControlCharacter);
    }
    if text.chars().count() > max {
        return Err(Problem::TooLong { max });
    }
    Ok(text)
}

/// The name of a company: one line, 1 to 100 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CompanyName(String);

impl CompanyName {
    /// The most characters a name may have.
    pub const MAX: usize = 100;

    /// Refuses an empty name, control characters and more than [`Self::MAX`] characters.
    pub fn new(text: &str) -> Result<Self, Problem> {
        let text = line(text, Self::MAX)?;
        if text.is_empty() {
            Err(Problem::Required)
        } else {
            Ok(Self(text))
        }
    }

    /// As typed, tidied.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a company's name is read, in katakana; empty when not known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct CompanyReading(String);

impl CompanyReading {
    /// Accepts hiragana and half-width kana and keeps katakana; the limits are those of a person's reading.
    pub fn new(text: &str) -> Result<Self, Problem> {
        line(&normalise::to_katakana(text), PersonReading::MAX).map(Self)
    }

    /// Katakana, or empty.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One line of free text that is not empty, such as a postal address: 1 to 200 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Line(String);

impl Line {
    /// The most characters a line may have.
    pub const MAX: usize = 200;

    /// `None` for an empty text; refuses control characters and more than [`Self::MAX`] characters.
    pub fn new(text: &str) -> Result<Option<Self>, Problem> {
        let text = line(text, Self::MAX)?;
        Ok(if text.is_empty() { None } else { Some(Self(text)) })
    }

    /// As typed, tidied.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Free text of several lines about a record, at most 2,000 characters; may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Remarks(String);

impl Remarks {
    /// The most characters remarks may have.
    pub const MAX: usize = 2_000;

    /// Keeps line breaks and tabs, refuses other control characters and more than [`Self::MAX`] characters.
    pub fn new(text: &str) -> Result<Self, Problem> {
        let text = tidy(&text.replace("\r\n", "\n").replace('\r', "\n"));
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err(Problem::ControlCharacter);
        }
        if text.chars().count() > Self::MAX {
            return Err(Problem::TooLong { max: Self::MAX });
        }
        Ok(Self(text))
    }

    /// As typed, tidied; lines end in `\n`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
