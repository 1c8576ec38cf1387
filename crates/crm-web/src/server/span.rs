//! The span of a request, for whoever has traces sent. While nobody has, it is none and costs next to nothing.

use poem::Request;
use poem::http::Method;
use tracing::Span;
use tracing::field::Empty;

use super::request_id::RequestId;

/// What spans need that tracing does not offer.
#[derive(Debug, Clone, Copy)]
pub struct SpanTools {
    /// Lets a span go on with the trace that a `traceparent` tells.
    pub follow: fn(&Span, &str),
    /// Gives a span another name.
    pub rename: fn(&Span, String),
}

/// The methods that are told by name; what else somebody writes there is nobody's business.
const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

/// Begins the span. Whoever is believed may have begun the trace.
pub(super) fn begin(request: &Request, id: &RequestId, tools: SpanTools, believed: bool) -> Span {
    let span = tracing::info_span!(
        target: "crm_web::trace",
        "request",
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = told(request.method()),
        http.route = Empty,
        http.response.status_code = Empty,
        request_id = id.as_str(),
    );
    if believed && !span.is_disabled() {
        let parent = request.headers().get("traceparent");
        if let Some(parent) = parent.and_then(|parent| parent.to_str().ok()) {
            (tools.follow)(&span, parent);
        }
    }
    span
}

/// Says what became of the request.
pub(super) fn end(span: &Span, tools: SpanTools, method: &Method, pattern: Option<&str>, status: u16) {
    if span.is_disabled() {
        return;
    }
    let method = told(method);
    match pattern {
        Some(pattern) => {
            span.record("http.route", pattern);
            (tools.rename)(span, format!("{method} {pattern}"));
        }
        None => (tools.rename)(span, method.to_owned()),
    }
    span.record("http.response.status_code", i64::from(status));
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
}

fn told(method: &Method) -> &'static str {
    let known = METHODS.iter().position(|known| known == method);
    known.map_or("_OTHER", |known| {
        ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"][known]
    })
}
