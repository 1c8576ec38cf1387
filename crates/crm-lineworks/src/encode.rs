//! Percent-encoding: each value once and whole.

use std::fmt::Write as _;

/// Everything but unreserved characters is encoded, for a path segment as for a form field.
pub(crate) fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").ok();
        }
    }
    encoded
}

/// A value as one segment of a path; `None` where it would be read as a way through the path.
pub(crate) fn segment(text: &str) -> Option<String> {
    (!["", ".", ".."].contains(&text)).then(|| percent(text))
}

/// The fields of a form, `application/x-www-form-urlencoded`.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", percent(value)))
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::{form, percent, segment};

    #[test]
    fn everything_but_unreserved_characters_is_encoded() {
        assert_eq!(percent("a-Z_0.~"), "a-Z_0.~");
        assert_eq!(percent("hanako@example.jp"), "hanako%40example.jp");
        assert_eq!(percent("a/b?c#d%e f+g"), "a%2Fb%3Fc%23d%25e%20f%2Bg");
        assert_eq!(percent("花"), "%E8%8A%B1");
        assert_eq!(form(&[("a", "1 2"), ("b", "x:y")]), "a=1%202&b=x%3Ay");
    }

    #[test]
    fn ways_through_the_path_are_no_segments() {
        for way in ["", ".", ".."] {
            assert_eq!(segment(way), None);
        }
        assert_eq!(segment("../x").as_deref(), Some("..%2Fx"));
    }
}
