//! The headers that every answer carries, that of an error too.

use poem::Response;
use poem::http::header::{self, HeaderName, HeaderValue};

use crate::assets::CONTENT_SECURITY_POLICY;

/// `same-origin` and not `no-referrer`: with that, browsers send `Origin: null` with our own forms.
const ALWAYS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (HeaderName::from_static("permissions-policy"), POWERS),
];

/// What no page of ours uses, so that nothing which gets into one can use it either.
const POWERS: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), \
     serial=(), usb=(), browsing-topics=()";

/// A year, as long as browsers are to refuse plain http for this name and those below it.
const ONLY_HTTPS: &str = "max-age=31536000; includeSubDomains";

/// Adds what is missing: nothing runs, frames or sniffs, and nothing personal is stored on the way. Who came over https comes
/// back over https.
pub(super) fn harden(response: &mut Response, https: bool) {
    let headers = response.headers_mut();
    if https {
        let only = HeaderValue::from_static(ONLY_HTTPS);
        headers.insert(header::STRICT_TRANSPORT_SECURITY, only);
    }
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
