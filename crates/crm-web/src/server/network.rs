//! The address of a caller behind trusted proxies.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use poem::http::HeaderMap;

/// Some networks, as the settings list them.
#[derive(Clone, Default)]
pub struct Networks(Option<Arc<dyn Fn(IpAddr) -> bool + Send + Sync>>);

impl fmt::Debug for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() {
            "Networks(none)"
        } else {
            "Networks(some)"
        })
    }
}

impl Networks {
    /// The networks whose addresses `contain` answers `true` for.
    pub fn of(contain: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(contain)))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether the address lies in one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.as_ref().is_some_and(|contain| contain(plain(address)))
    }

    /// Who really calls: the first hop from the right that is none of these trusted proxies. What that hop itself
    /// wrote further left is not believed.
    pub(super) fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut caller = plain(peer);
        for hop in last_to_first(headers, "x-forwarded-for") {
            if !self.contains(caller) {
                break;
            }
            let Some(next) = hop_address(hop) else { break };
            caller = next;
        }
        caller
    }

    /// Whether the caller spoke https, as the nearest proxy says, if it is trusted.
    pub(super) fn spoke_https(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        self.contains(peer)
            && last_to_first(headers, "x-forwarded-proto")
                .next()
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
    }
}

/// The parts of a header that is a list, over all its lines, from the right.
fn last_to_first<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let lines: Vec<&str> = headers
        .get_all(name)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .collect();
    lines
        .into_iter()
        .rev()
        .flat_map(|line| line.rsplit(',').map(str::trim))
}

/// The address of a hop, which may carry a port.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = hop
        .strip_prefix('[')
        .and_then(|rest| rest.split(']').next())
        .unwrap_or(hop);
    let address = bare.parse().ok();
    let without_port = || {
        bare.rsplit_once(':')
            .and_then(|(front, _)| front.parse::<Ipv4Addr>().ok())
    };
    address.or_else(|| without_port().map(IpAddr::V4)).map(plain)
}

/// The address, without the IPv6 clothing of an IPv4 one.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(inner) => inner.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use poem::http::{HeaderMap, HeaderValue};

    use super::Networks;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn headers(lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_static(line));
        }
        headers
    }

    #[test]
    fn the_first_untrusted_hop_from_the_right_calls() {
        let proxies = Networks::of(|address| matches!(address, IpAddr::V4(v4) if v4.octets()[0] == 10));
        let calls = |peer: &str, lines: &[&'static str]| proxies.caller(address(peer), &headers(lines));
        assert_eq!(calls("198.51.100.1", &["1.2.3.4"]), address("198.51.100.1"));
        assert_eq!(
            calls("10.0.0.1", &["1.2.3.4, 198.51.100.1", "10.0.0.2"]),
            address("198.51.100.1")
        );
        assert_eq!(calls("10.0.0.1", &["198.51.100.1:5555"]), address("198.51.100.1"));
        assert_eq!(calls("10.0.0.1", &["[2001:db8::1]:443"]), address("2001:db8::1"));
        assert_eq!(calls("::ffff:10.0.0.1", &["nonsense"]), address("10.0.0.1"));
        assert_eq!(calls("10.0.0.1", &[]), address("10.0.0.1"));
    }

    #[test]
    fn only_a_trusted_proxy_says_https() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-proto", HeaderValue::from_static("http, https"));
        let proxies = Networks::of(|_| true);
        assert!(proxies.spoke_https(address("10.0.0.1"), &headers));
        assert!(!Networks::default().spoke_https(address("10.0.0.1"), &headers));
    }
}
