//! The text of a message that we send.

use super::Problem;

/// A text that LINE WORKS accepts: 1 to 2,000 characters, not only blanks, lines ending in `\n`, no control characters
/// but line breaks and tabs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageText(String);

impl MessageText {
    /// The most characters LINE WORKS accepts in one text message.
    pub const MAX: usize = 2_000;

    /// Cuts blanks at the end, unifies line ends; refuses nothing but blanks and more than [`Self::MAX`] characters.
    pub fn new(text: &str) -> Result<Self, Problem> {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text = without_controls(&text);
        let text = text.trim_end();
        if text.trim().is_empty() {
            return Err(Problem::Required);
        }
        if text.chars().count() > Self::MAX {
            return Err(Problem::TooLong { max: Self::MAX });
        }
        Ok(Self(text.to_owned()))
    }

    /// The text as it is sent and shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn without_controls(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::MessageText;

    #[test]
    fn counts_characters_not_bytes() {
        assert!(MessageText::new(&"あ".repeat(2_000)).is_ok());
        assert!(MessageText::new(&"あ".repeat(2_001)).is_err());
        assert!(MessageText::new(" \n ").is_err());
        assert_eq!(
            MessageText::new("a\r\nb\t\0\n").map(|text| text.0),
            Ok("a\nb".to_owned())
        );
    }
}
