//! Whether a request was made on a page of this server.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use poem::http::{HeaderMap, header};

/// An origin as browsers write it: `https://crm.example.co.jp`, `http://localhost:3000`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    scheme: String,
    /// Name or address, and the port unless it is the scheme's own.
    authority: String,
}

/// The text is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not an address such as https://crm.example.co.jp")]
pub struct NotAnOrigin(String);

impl FromStr for Origin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let wrong = || NotAnOrigin(text.to_owned());
        let (scheme, rest) = text.trim().split_once("://").ok_or_else(wrong)?;
        let scheme = scheme.to_ascii_lowercase();
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if !matches!(scheme.as_str(), "http" | "https") || authority.is_empty() || authority.contains('@') {
            return Err(wrong());
        }
        let authority = without_own_port(&authority.to_ascii_lowercase(), &scheme);
        Ok(Self { scheme, authority })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

fn without_own_port(authority: &str, scheme: &str) -> String {
    let own = if scheme == "https" { ":443" } else { ":80" };
    authority.strip_suffix(own).unwrap_or(authority).to_owned()
}

/// The name or address of an authority, without port and brackets.
fn host(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

/// What browsers call the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origins(Vec<Origin>);

impl Origins {
    /// Reads a list separated by commas, as `CRM_PUBLIC_URL` holds it.
    pub fn parse(list: &str) -> Result<Self, NotAnOrigin> {
        let origins: Vec<Origin> = list
            .split(',')
            .map(str::trim)
            .filter(|one| !one.is_empty())
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        if origins.is_empty() {
            Err(NotAnOrigin(list.to_owned()))
        } else {
            Ok(Self(origins))
        }
    }

    /// The one that stands in links.
    pub fn first(&self) -> String {
        self.0.first().map(ToString::to_string).unwrap_or_default()
    }

    /// The https origin under which somebody who asked for `host` reaches us; `None` for a name that is not ours.
    pub fn over_https(&self, host: &str) -> Option<String> {
        let asked = host.to_ascii_lowercase();
        let plain = |letter: char| letter.is_ascii_alphanumeric() || ".-:[]".contains(letter);
        if !asked.is_empty() && asked.chars().all(plain) && self.names(self::host(&asked)) {
            return Some(format!("https://{asked}"));
        }
        let listed = self.0.iter().find(|origin| origin.scheme == "https");
        listed.map(ToString::to_string)
    }

    /// Whether the request may change something: what the browser says of where it was made speaks for us. A request
    /// that says nothing comes from no browser; its token has to do.
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        let said = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        if said("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
            return false;
        }
        let own_host = said("host").unwrap_or_default().to_ascii_lowercase();
        match said("origin").or_else(|| said("referer")) {
            Some(text) => text.parse().is_ok_and(|origin| self.is_ours(&origin, &own_host)),
            None => true,
        }
    }

    fn is_ours(&self, origin: &Origin, own_host: &str) -> bool {
        let asked = without_own_port(own_host, &origin.scheme);
        self.0.contains(origin) || (origin.authority == asked && self.names(host(&asked)))
    }

    /// A name that a stranger cannot point at us: an address, this machine, or one that the settings list.
    fn names(&self, name: &str) -> bool {
        name == "localhost"
            || name.parse::<IpAddr>().is_ok()
            || self.0.iter().any(|listed| host(&listed.authority) == name)
    }
}

/// Whether the page that made the request was loaded over https.
pub(super) fn says_https(headers: &HeaderMap) -> bool {
    headers
        .get(header::ORIGIN)
        .is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

#[cfg(test)]
mod tests {
    use poem::http::{HeaderMap, HeaderName, HeaderValue};

    use super::Origins;

    fn allowed(list: &str, pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        Origins::parse(list).unwrap().allow(&headers)
    }

    #[test]
    fn pages_of_ours_may_and_others_may_not() {
        let listed = "https://crm.example.co.jp, http://localhost:3000";
        let ask = |origin, host| allowed(listed, &[("origin", origin), ("host", host)]);
        assert!(
            ask("https://crm.example.co.jp", "10.0.0.1:3000"),
            "listed, behind a proxy"
        );
        assert!(ask("https://CRM.example.co.jp:443", "x"), "the scheme's own port");
        assert!(
            ask("http://192.168.1.5:3000", "192.168.1.5:3000"),
            "an address of its own"
        );
        assert!(ask("http://[::1]:3000", "[::1]:3000"));
        assert!(
            ask("http://crm.example.co.jp:8080", "crm.example.co.jp:8080"),
            "a listed name on another port"
        );
        assert!(!ask("http://192.168.1.6:3000", "192.168.1.5:3000"));
        assert!(
            !ask("http://evil.example", "evil.example"),
            "a name that somebody pointed at us"
        );
        assert!(!ask("null", "localhost:3000"));
        assert!(!ask("https://crm.example.co.jp.evil.example", "localhost:3000"));
    }

    #[test]
    fn what_the_browser_says_of_the_site_counts_too() {
        let ours = ("origin", "http://localhost:3000");
        let host = ("host", "localhost:3000");
        let list = "http://localhost:3000";
        assert!(allowed(list, &[ours, host, ("sec-fetch-site", "same-origin")]));
        for site in ["cross-site", "same-site"] {
            assert!(!allowed(list, &[ours, host, ("sec-fetch-site", site)]), "{site}");
        }
        assert!(!allowed(list, &[host, ("referer", "http://evil.example/x")]));
        assert!(allowed(
            list,
            &[host, ("referer", "http://localhost:3000/login?next=%2F")]
        ));
        assert!(allowed(list, &[host]), "no browser: the token has to do");
    }

    #[test]
    fn nonsense_is_no_origin() {
        for wrong in ["", "localhost:3000", "ftp://x", "https://", "https://user@host"] {
            assert!(Origins::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            Origins::parse("https://a.example/,http://b").unwrap().first(),
            "https://a.example"
        );
    }
}
