//! A line per request at debug: method, path, names of headers, sizes, outcome. Never bodies, query values or header
//! values, which hold what people said and who they are.

use std::time::Instant;

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

/// The path, without what makes it secret or personal: the secret of a one-time link, a user id.
fn told_path(uri: &Uri) -> String {
    let path = uri.path();
    for prefix in ["/link/", "/check-customer/"] {
        if let Some(rest) = path.strip_prefix(prefix) {
            let shown: String = rest
                .chars()
                .take(if prefix == "/link/" { 0 } else { 8 })
                .collect();
            return format!("{prefix}{shown}…");
        }
    }
    path.to_owned()
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
        assert_eq!(told("/check-customer/01234567-89ab"), "/check-customer/01234567…");
    }
}
