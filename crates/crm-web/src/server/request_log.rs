//! A line per request at debug: method, path, names of headers, sizes, outcome. Never bodies, query values or header
//! values, which hold what people said and who they are.

use std::time::Instant;

use crm_domain::values::LineUserId;
use poem::http::{HeaderMap, Method, Uri, header};
use poem::{Request, Response};

/// What of a request may be told.
pub(super) struct Line {
    method: Method,
    path: String,
    headers: String,
    bytes: u64,
    begun: Instant,
}

impl Line {
    /// `None` when nobody listens at this level.
    pub(super) fn of(request: &Request) -> Option<Line> {
        tracing::enabled!(tracing::Level::DEBUG).then(|| Line {
            method: request.method().clone(),
            path: told_path(request.uri()),
            headers: names(request.headers()),
            bytes: length(request.headers()),
            begun: Instant::now(),
        })
    }

    pub(super) fn end(self, response: &Response) {
        tracing::debug!(
            "{} {} [{}] {} bytes -> {} in {} ms",
            self.method,
            self.path,
            self.headers,
            self.bytes,
            response.status().as_u16(),
            self.begun.elapsed().as_millis(),
        );
    }
}

/// The path, without what may be secret or personal: of a one-time link's secret nothing, of a user id eight characters
/// at most, and of what has no place in our paths nothing either.
fn told_path(uri: &Uri) -> String {
    let path = uri.path();
    for secret in ["/link/", "/setup/"] {
        if path.starts_with(secret) {
            return format!("{secret}…");
        }
    }
    if let Some(user) = path.strip_prefix("/check-customer/") {
        let user = LineUserId::new(user).ok().flatten();
        return format!(
            "/check-customer/{}",
            user.map_or_else(String::new, |user| user.short())
        );
    }
    let ours = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/-_.".contains(c);
    if path.chars().all(ours) {
        path.to_owned()
    } else {
        "/…".to_owned()
    }
}

fn names(headers: &HeaderMap) -> String {
    headers
        .keys()
        .map(header::HeaderName::as_str)
        .collect::<Vec<_>>()
        .join(" ")
}

fn length(headers: &HeaderMap) -> u64 {
    headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use poem::http::Uri;

    use super::told_path;

    #[test]
    fn secrets_and_ids_are_cut_and_queries_left_out() {
        let told = |uri: &'static str| told_path(&Uri::from_static(uri));
        assert_eq!(told("/customers?q=%E5%B1%B1"), "/customers");
        assert_eq!(told("/link/0123456789"), "/link/…");
        assert_eq!(told("/setup/0123456789"), "/setup/…");
        assert_eq!(told("/check-customer/hanako@example"), "/check-customer/h…");
        assert_eq!(
            told("/check-customer/01234567-0000-4000-8000-000000000001"),
            "/check-customer/01234567"
        );
        assert_eq!(told("/nothing/taro@example.jp"), "/…");
        assert_eq!(told("/%E5%B1%B1"), "/…");
    }
}
