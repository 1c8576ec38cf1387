//! A company's web address.

use super::Problem;

/// An `http://` or `https://` address without blanks, at most 300 characters: safe to offer as a link.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Website(String);

impl Website {
    /// The most characters an address may have.
    pub const MAX: usize = 300;

    /// `None` for an empty text; `example.jp` becomes `https://example.jp`; any other scheme is refused.
    pub fn new(text: &str) -> Result<Option<Self>, Problem> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let address = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        if address.chars().count() > Self::MAX {
            return Err(Problem::TooLong { max: Self::MAX });
        }
        if has_shape(&address) {
            Ok(Some(Self(address)))
        } else {
            Err(Problem::Malformed)
        }
    }

    /// The whole address with its scheme.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn has_shape(address: &str) -> bool {
    let Some((scheme, rest)) = address.split_once("://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
        && !host.is_empty()
        && host.split('.').all(|label| !label.is_empty())
        && !host.contains('@')
        && has_number_as_port(host)
        && !address
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || "\"<>".contains(c))
}

/// `javascript:alert(1)` typed without slashes is no host with a port.
fn has_number_as_port(host: &str) -> bool {
    let port = match host.rsplit_once(']') {
        Some((_, behind)) => behind.strip_prefix(':'),
        None => host.split_once(':').map(|(_, port)| port),
    };
    port.is_none_or(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::Website;

    #[test]
    fn only_web_addresses() {
        for (typed, kept) in [
            ("example.jp", "https://example.jp"),
            ("http://例え.jp/会社", "http://例え.jp/会社"),
            ("https://example.jp:8443/a?b#c", "https://example.jp:8443/a?b#c"),
        ] {
            assert_eq!(
                Website::new(typed).ok().flatten().map(|site| site.0).as_deref(),
                Some(kept)
            );
        }
        for bad in [
            "javascript://alert(1)",
            "ftp://example.jp",
            "https://",
            "https://a b.jp",
            "javascript:alert(1)//\"",
            "javascript:alert(1)",
            "tel:03-1234-5678",
            "https://u@x.jp",
        ] {
            assert!(Website::new(bad).is_err(), "{bad}");
        }
    }
}
