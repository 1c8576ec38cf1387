//! Where to go after signing in or after a button: only to a page of ours.

use poem::http::{HeaderMap, header};

/// The path of the page of ours on which a request was made.
pub fn referring_page(headers: &HeaderMap) -> Option<&str> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (_, rest) = text(header::REFERER)?.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/')?);
    (text(header::HOST) == Some(authority)).then_some(path)
}

/// The path to continue with, or the start page when it leads anywhere else. Browsers read `//host` and `/\host` as
/// other servers and drop line breaks and tabs, so none of these passes.
pub fn safe_next(next: &str) -> &str {
    let plain = next.chars().all(|letter| !letter.is_control() && letter != '\\');
    let own = next.starts_with('/') && !next.starts_with("//");
    let loops = ["/login", "/logout", "/link/"]
        .iter()
        .any(|page| next.starts_with(page));
    if plain && own && !loops && next.len() <= 2_000 {
        next
    } else {
        "/"
    }
}

#[cfg(test)]
mod tests {
    use super::safe_next;

    #[test]
    fn only_paths_of_ours_pass() {
        for good in ["/", "/customers?q=%E5%B1%B1&after=3.x", "/customer/5#bottom"] {
            assert_eq!(safe_next(good), good);
        }
        let bad = [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "\n//evil.example",
            "customers",
            "/login?next=/login",
            "/logout",
        ];
        for bad in bad {
            assert_eq!(safe_next(bad), "/", "{bad:?}");
        }
    }
}
