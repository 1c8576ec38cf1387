//! What browsers call the server.

use super::problem::Fault;

const EXAMPLE: &str = "https://crm.example.jp";

/// Scheme, host and port; no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// Accepts `http://` and `https://` with a host, an optional port and at most a slash behind it.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let fault = || Fault::NotAUrl {
            given: text.to_owned(),
            example: EXAMPLE,
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(fault)?;
        let scheme = scheme.to_ascii_lowercase();
        let host = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => ":80",
            "https" => ":443",
            _ => return Err(fault()),
        };
        let host = host.strip_suffix(default_port).unwrap_or(&host);
        let refused = |c: char| c.is_whitespace() || "/?#@\"<>\\".contains(c);
        if host.is_empty() || host.contains(refused) || !port_is_number(host) {
            return Err(fault());
        }
        Ok(Self(format!("{scheme}://{host}")))
    }

    /// `localhost` with this port, by https if that is spoken.
    pub fn on_this_machine(port: u16, https: bool) -> Self {
        let scheme = if https { "https" } else { "http" };
        Self(format!("{scheme}://localhost:{port}"))
    }

    /// The origin as browsers write it, without a slash at the end.
    pub fn origin(&self) -> &str {
        &self.0
    }
}

fn port_is_number(host: &str) -> bool {
    match host.rsplit_once(':') {
        Some((_, port)) if !port.ends_with(']') => port.parse::<u16>().is_ok(),
        _ => true,
    }
}

/// An address to which we speak: http or https, no blanks, no slash at the end.
pub(super) fn service_url(text: &str, example: &'static str) -> Result<String, Fault> {
    let trimmed = text.trim_end_matches('/');
    let host = ["https://", "http://"]
        .iter()
        .find_map(|scheme| trimmed.strip_prefix(scheme))
        .unwrap_or_default();
    if host.is_empty() || trimmed.contains(|c: char| c.is_whitespace() || "@?#".contains(c)) {
        return Err(Fault::NotAUrl {
            given: text.to_owned(),
            example,
        });
    }
    Ok(trimmed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::PublicUrl;

    #[test]
    fn origins_are_written_as_browsers_do() {
        for (given, kept) in [
            ("HTTPS://CRM.Example.jp:443/", "https://crm.example.jp"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]", "http://[::1]"),
        ] {
            assert_eq!(PublicUrl::parse(given).unwrap().origin(), kept);
        }
        for bad in [
            "crm.example.jp",
            "ftp://x",
            "https://",
            "https://a/b",
            "https://u@a",
            "https://a:port",
        ] {
            assert!(PublicUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
