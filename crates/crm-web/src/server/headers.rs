//! The headers that every answer carries.

use poem::Response;
use poem::http::header::{self, HeaderName, HeaderValue};

use crate::assets::CONTENT_SECURITY_POLICY;

/// `same-origin` and not `no-referrer`: with that, browsers send `Origin: null` with our own forms.
const ALWAYS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// Adds what is missing: nothing runs, frames or sniffs, and nothing personal is stored on the way.
pub(super) fn harden(response: &mut Response) {
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}
