//! One request and its answer, with the faults that were planned for it.

use super::App;
use crate::clock;
use crate::faults::{Endpoint, Fault};
use crate::json_body::JSON_LIMIT;
use crate::routes::STORAGE;
use crate::state::Shared;
use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::header::DATE;
use hyper::{Method, Request, Response};
use poem::web::{LocalAddr, RemoteAddr};
use std::future::Future as _;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Sleep;

type Body = BoxBody<Bytes, io::Error>;

/// Time for the head of an answer to leave before its connection is cut.
const BEFORE_CUT: Duration = Duration::from_millis(50);

/// Makes hyper close the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the line was cut, as planned")]
pub(super) struct Cut;

/// Answers, and says when by the service's clock.
pub(super) async fn answer(
    shared: &Shared,
    app: &App,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<Response<Body>, Cut> {
    let mut response = outcome(shared, app, request, peer).await?;
    if let Some(now) = clock::date(shared.now()) {
        response.headers_mut().entry(DATE).or_insert(now);
    }
    Ok(response)
}

async fn outcome(
    shared: &Shared,
    app: &App,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<Response<Body>, Cut> {
    let Some(fault) = planned(shared, &request) else {
        return Ok(handle(app, shared, request, peer).await);
    };
    match fault {
        Fault::Status { code, body, headers } => {
            drain(request).await;
            Ok(told(code, body, &headers))
        }
        Fault::Slow(wait) => {
            let response = handle(app, shared, request, peer).await;
            tokio::time::sleep(wait).await;
            Ok(response)
        }
        Fault::CutBeforeResponse => {
            drain(request).await;
            Err(Cut)
        }
        Fault::CutAfterDoing => {
            handle(app, shared, request, peer).await;
            Err(Cut)
        }
        Fault::CutAfterHeaders => {
            let response = handle(app, shared, request, peer).await;
            Ok(with_body(response, BoxBody::new(CutBody::new())))
        }
        Fault::GarbageBody => {
            let response = handle(app, shared, request, peer).await;
            Ok(with_body(response, full("<html>\u{fffd} not json")))
        }
        Fault::ExpireTokens => {
            shared.lock().tokens.expire_all();
            Ok(handle(app, shared, request, peer).await)
        }
    }
}

/// Counts the request and takes the fault that is due to it.
fn planned(shared: &Shared, request: &Request<Incoming>) -> Option<Fault> {
    let path = request.uri().path();
    let posted = request.method() == Method::POST;
    let endpoint = match path {
        _ if path.starts_with("/sim/") => return None,
        "/oauth2/v2.0/token" if posted => Endpoint::Token,
        _ if posted && path.ends_with("/messages") => Endpoint::Send,
        _ if path.starts_with("/v1.0/users") => Endpoint::Users,
        _ if path.contains("/attachments") || path.starts_with(STORAGE) => Endpoint::Files,
        _ => Endpoint::All,
    };
    let mut state = shared.lock();
    *state.requests.entry(endpoint).or_insert(0) += 1;
    state.faults.take(endpoint)
}

async fn handle(app: &App, shared: &Shared, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
    let local = LocalAddr(shared.addr.into());
    let remote = RemoteAddr(peer.into());
    let request = poem::Request::from((request, local, remote, hyper::http::uri::Scheme::HTTP));
    match app.call(request).await {
        Ok(response) => response.into(),
        Err(error) => error.into_response().into(),
    }
}

/// Reads the request to its end, so that closing the connection does not reset it.
async fn drain(request: Request<Incoming>) {
    let _ = Limited::new(request.into_body(), JSON_LIMIT).collect().await;
}

fn full(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).map_err(|never| match never {}).boxed()
}

fn told(code: u16, body: String, headers: &[(String, String)]) -> Response<Body> {
    let mut builder = Response::builder().status(code);
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
    {
        builder = builder.header("content-type", "application/json;charset=UTF-8");
    }
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    builder.body(full(body)).unwrap_or_else(|_| {
        let mut response = Response::new(full("the planned fault is no valid HTTP"));
        *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

fn with_body(response: Response<Body>, body: Body) -> Response<Body> {
    let (mut parts, _) = response.into_parts();
    parts.headers.remove("content-length");
    Response::from_parts(parts, body)
}

/// Promises 64 bytes, gives one, waits for it to leave, and fails.
struct CutBody {
    begun: bool,
    wait: Pin<Box<Sleep>>,
}

impl CutBody {
    fn new() -> Self {
        Self {
            begun: false,
            wait: Box::pin(tokio::time::sleep(BEFORE_CUT)),
        }
    }
}

impl HttpBody for CutBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if !self.begun {
            self.begun = true;
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"{")))));
        }
        self.wait
            .as_mut()
            .poll(context)
            .map(|()| Some(Err(io::Error::other(Cut))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(if self.begun { 63 } else { 64 })
    }
}
