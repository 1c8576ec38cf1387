//! A request as it comes in, and what is said of it when it is answered: in the answer's headers, the log, the metrics and
//! the trace.

use std::net::IpAddr;
use std::time::Instant;

use poem::http::Method;
use poem::http::uri::Scheme;
use poem::web::RemoteAddr;
use poem::{Addr, PathPattern, Request, Response};
use tracing::{Instrument as _, Span};

use super::request_id::{self, RequestId};
use super::request_log::Line;
use super::{asking, headers, span};
use crate::state::App;
use crate::webhook;

/// Who calls, as far as trusted proxies tell.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// The address.
    pub address: IpAddr,
    /// Whether https was spoken, with us or with a trusted proxy.
    pub https: bool,
    /// Whether a trusted proxy handed the request on.
    pub by_proxy: bool,
}

impl Caller {
    fn of(request: &Request, app: &App) -> Option<Caller> {
        let peer = match &RemoteAddr::clone(request.remote_addr()).0 {
            Addr::SocketAddr(address) => address.ip(),
            _ => return None,
        };
        let proxies = &app.settings.trusted_proxies;
        Some(Caller {
            address: proxies.caller(peer, request.headers()),
            by_proxy: proxies.contains(peer),
            https: request.scheme() == &Scheme::HTTPS || proxies.spoke_https(peer, request.headers()),
        })
    }
}

/// A request as it comes in, for what is said of it when it is answered.
pub(super) struct Begun {
    line: Option<Line>,
    pub(super) caller: Option<Caller>,
    id: RequestId,
    method: Method,
    pub(super) callback: bool,
    at: Instant,
    span: Span,
}

impl Begun {
    pub(super) fn of(request: &Request, app: &App) -> Begun {
        let caller = Caller::of(request, app);
        let believed = caller.is_some_and(|caller| caller.by_proxy);
        let id = app.ids().of(request.headers(), believed);
        Begun {
            line: Line::of(request),
            caller,
            method: request.method().clone(),
            callback: request.uri().path() == webhook::PATH,
            at: Instant::now(),
            span: span::begin(request, &id, app.settings.spans, believed),
            id,
        }
    }

    /// Answers within what is known of the request.
    pub(super) async fn answered(&self, answering: impl Future<Output = Response>) -> Response {
        let asked = asking::Asked {
            address: self.caller.map(|caller| caller.address),
            id: self.id.clone(),
        };
        let answering = asking::about(asked, answering);
        if self.span.is_disabled() {
            answering.await
        } else {
            answering.instrument(self.span.clone()).await
        }
    }

    /// Gives the answer what every answer carries, and measures it.
    pub(super) fn end(self, app: &App, mut response: Response) -> Response {
        let pattern = if self.callback {
            Some(webhook::PATH)
        } else {
            response.data::<PathPattern>().map(|pattern| &*pattern.0)
        };
        let status = response.status().as_u16();
        app.metrics()
            .answered(pattern, &self.method, status, self.at.elapsed());
        span::end(&self.span, app.settings.spans, &self.method, pattern, status);
        headers::harden(&mut response, self.caller.is_some_and(|caller| caller.https));
        if let Some(id) = self.id.header() {
            response.headers_mut().insert(request_id::HEADER, id);
        }
        if let Some(line) = self.line {
            line.end(&response);
        }
        response
    }
}
