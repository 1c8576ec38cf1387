//! The address of a person on LINE WORKS.

use super::Problem;

/// A LINE WORKS user id: any text without blanks, 1 to 100 characters. Callbacks carry UUIDs; other shapes are kept
/// because an administrator may have typed a login id, which never matches a callback.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineUserId(String);

impl LineUserId {
    /// The most characters an id may have.
    pub const MAX: usize = 100;

    /// `None` for an empty text; refuses blanks and control characters inside.
    pub fn new(text: &str) -> Result<Option<Self>, Problem> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        if text.chars().any(char::is_whitespace) {
            return Err(Problem::Blank);
        }
        if text.chars().any(char::is_control) {
            return Err(Problem::ControlCharacter);
        }
        if text.chars().count() > Self::MAX {
            return Err(Problem::TooLong { max: Self::MAX });
        }
        Ok(Some(Self(text.to_owned())))
    }

    /// The id as LINE WORKS writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has the shape of the ids that callbacks carry (8-4-4-4-12 hexadecimal digits).
    pub fn is_uuid_shaped(&self) -> bool {
        let groups: Vec<&str> = self.0.split('-').collect();
        groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
            && groups
                .iter()
                .all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()))
    }

    /// Whether it is a login id, shaped like an e-mail address: nobody calls by it.
    pub fn is_login_id(&self) -> bool {
        self.0.contains('@')
    }

    /// All that logs may show of it: the first eight characters of a UUID, the first one of anything else, which may be
    /// a name.
    pub fn short(&self) -> String {
        let shown = if self.is_uuid_shaped() { 8 } else { 1 };
        self.0
            .chars()
            .take(shown)
            .chain("…".chars().filter(|_| shown == 1))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::LineUserId;

    #[test]
    fn shapes() {
        let uuid = LineUserId::new(" 00000000-0000-4000-8000-00000000000A ")
            .ok()
            .flatten()
            .map(|id| id.is_uuid_shaped());
        assert_eq!(uuid, Some(true));
        let login = LineUserId::new("hanako@example")
            .ok()
            .flatten()
            .map(|id| id.is_uuid_shaped());
        assert_eq!(login, Some(false));
        let short = |text: &str| LineUserId::new(text).ok().flatten().map(|id| id.short());
        assert_eq!(
            short("01234567-0000-4000-8000-00000000000A").as_deref(),
            Some("01234567")
        );
        assert_eq!(short("hanako@example").as_deref(), Some("h…"));
        assert!(LineUserId::new("a b").is_err());
        assert_eq!(LineUserId::new(""), Ok(None));
    }
}
