//! E-mail addresses, checked for their shape only.

use unicode_normalization::UnicodeNormalization;

use super::Problem;

/// An e-mail address of the shape `local@domain`, at most 254 characters, without blanks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The most characters an address may have (RFC 5321's path limit).
    pub const MAX: usize = 254;

    /// `None` for an empty text. Full-width letters are put right; the letter case stays as typed.
    pub fn new(text: &str) -> Result<Option<Self>, Problem> {
        let text: String = text.trim().nfkc().collect();
        if text.is_empty() {
            return Ok(None);
        }
        if text.chars().count() > Self::MAX {
            return Err(Problem::TooLong { max: Self::MAX });
        }
        if has_shape(&text) {
            Ok(Some(Self(text)))
        } else {
            Err(Problem::Malformed)
        }
    }

    /// As typed, tidied.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which addresses are compared.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

/// A browser's `type=email` is looser about the domain, a mail server stricter about everything; a person mistypes blanks,
/// a second @ and a missing dot-part, which is what is refused here.
fn has_shape(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let label = |part: &str| !part.is_empty() && !part.starts_with('-') && !part.ends_with('-');
    !local.is_empty()
        && !local.contains('@')
        && !text
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"".contains(c))
        && domain.contains('.')
        && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::EmailAddress;

    #[test]
    fn shapes() {
        for good in [
            "hanako@example.jp",
            "a.b+c@sub.example.co.jp",
            "ｈａｎａｋｏ＠example.jp",
            "Hanako..X@docomo.ne.jp",
        ] {
            assert!(matches!(EmailAddress::new(good), Ok(Some(_))), "{good}");
        }
        for bad in [
            "hanako",
            "hanako@",
            "@example.jp",
            "a b@example.jp",
            "a@b@example.jp",
            "a@example",
            "a@-x.jp",
            "a@x..jp",
        ] {
            assert!(EmailAddress::new(bad).is_err(), "{bad}");
        }
        assert_eq!(EmailAddress::new("  "), Ok(None));
    }
}
