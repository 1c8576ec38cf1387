//! The number under which a request is found again: its answer carries it, as do its log lines, its entries in the audit log
//! and the page that tells of an error.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crm_domain::ports::host::Secrets;
use poem::http::{HeaderMap, HeaderName, HeaderValue};

/// The header, in requests and in answers.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a proxy.
const LONGEST: usize = 64;

/// One request's id: 1 to 64 characters of `[A-Za-z0-9._-]`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestId(Arc<str>);

impl RequestId {
    /// What a trusted proxy gave the request, if it is sane.
    fn given(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(HEADER)?.to_str().ok()?;
        let sane = |c: u8| c.is_ascii_alphanumeric() || b"._-".contains(&c);
        let good = !text.is_empty() && text.len() <= LONGEST && text.bytes().all(sane);
        good.then(|| Self(text.into()))
    }

    /// For the answer's header.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }

    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Makes ids: no two alike in one process, and hardly ever in two.
#[derive(Debug)]
pub(crate) struct RequestIds {
    start: u64,
    count: AtomicU64,
}

impl RequestIds {
    /// Begins at a random place.
    pub(crate) fn new(secrets: &dyn Secrets) -> Self {
        let mut start = [0; 8];
        secrets.fill(&mut start);
        Self {
            start: u64::from_be_bytes(start),
            count: AtomicU64::new(0),
        }
    }

    /// The id of a request: the one given if whoever gave it is believed, else a new one of 16 hexadecimal digits.
    pub(super) fn of(&self, headers: &HeaderMap, believed: bool) -> RequestId {
        let given = believed.then(|| RequestId::given(headers)).flatten();
        given.unwrap_or_else(|| self.next())
    }

    fn next(&self) -> RequestId {
        let number = self.start.wrapping_add(self.count.fetch_add(1, Relaxed));
        RequestId(format!("{:016x}", scattered(number)).into())
    }
}

/// Another number for each number, far from those of its neighbours: people tell ids apart at a glance.
fn scattered(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::AtomicU64;

    use poem::http::{HeaderMap, HeaderValue};

    use super::{HEADER, RequestIds};

    fn ids() -> RequestIds {
        RequestIds {
            start: u64::MAX - 10,
            count: AtomicU64::new(0),
        }
    }

    fn headers(id: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_str(id).unwrap());
        headers
    }

    #[test]
    fn only_a_sane_id_of_somebody_believed_is_kept() {
        let ids = ids();
        assert_eq!(ids.of(&headers("edge-1.a_B"), true).as_str(), "edge-1.a_B");
        assert_ne!(ids.of(&headers("edge-1.a_B"), false).as_str(), "edge-1.a_B");
        let longest = "a".repeat(64);
        assert_eq!(ids.of(&headers(&longest), true).as_str(), longest);
        for insane in ["", "a b", "a;b", "a/b", "<b>", &"a".repeat(65)] {
            let made = ids.of(&headers(insane), true);
            assert_eq!(made.as_str().len(), 16, "{insane}");
        }
    }

    #[test]
    fn no_two_are_alike() {
        let ids = ids();
        let made: HashSet<String> = (0..10_000)
            .map(|_| ids.of(&HeaderMap::new(), true).to_string())
            .collect();
        assert_eq!(made.len(), 10_000);
        assert!(made.iter().all(|id| id.len() == 16));
    }
}
