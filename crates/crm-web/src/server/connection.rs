//! One connection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::http::uri::Scheme;
use poem::http::{HeaderValue, header};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Body, Request, RequestParts};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::accept::Places;
use super::pulse::{Patience, Pulse, Verdict, Watched};
use super::{Site, body};

/// What the heads of requests may hold: cookies and long addresses fit, floods do not.
const HEAD_BYTES: usize = 32 * 1024;
const WATCH_EVERY: Duration = Duration::from_secs(1);
/// How long a connection at rest stays open once the server stops: a request that is on its way already is answered. Less
/// than browsers wait before they open their stream of events again.
const LAST_CALL: Duration = Duration::from_millis(800);

/// Who is connected to what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) local: SocketAddr,
    pub(super) peer: SocketAddr,
    /// What is spoken: http, or https by TLS of our own.
    pub(super) https: bool,
}

/// How a connection is held.
pub(super) struct Held {
    pub(super) patience: Patience,
    pub(super) places: Places,
    pub(super) stopping: watch::Receiver<bool>,
    /// It takes one request only and does not listen for the stop.
    pub(super) last: bool,
}

/// Serves a connection until it ends, is cut, or the server stops and its last answer has left.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send>(
    stream: S,
    ends: Ends,
    site: Site,
    held: Held,
) {
    let Held {
        patience,
        places,
        stopping,
        last,
    } = held;
    let pulse = Pulse::new();
    let io = TokioIo::new(Watched {
        stream,
        pulse: Arc::clone(&pulse),
    });
    let stop = stopping.clone();
    let service = service_fn(|request| exchange(&site, ends, &pulse, &stop, request));
    let connection = protocol(last).serve_connection(io, service);
    tokio::pin!(connection);
    let mut watch = tokio::time::interval(WATCH_EVERY);
    watch.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let last_call = last_call(stopping);
    tokio::pin!(last_call);
    let mut told = last;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(peer = %ends.peer, %error, "connection ended early");
                }
                return;
            }
            () = last_call.as_mut(), if !told => {
                told = true;
                connection.as_mut().graceful_shutdown();
            }
            _ = watch.tick() => match pulse.verdict(&now(patience, &places)) {
                Verdict::Keep => {}
                Verdict::Retire => connection.as_mut().graceful_shutdown(),
                Verdict::Cut => {
                    tracing::debug!(peer = %ends.peer, "connection was too slow");
                    return;
                }
            }
        }
    }
}

/// Ends some time after the stop.
async fn last_call(mut stopping: watch::Receiver<bool>) {
    // The one who says so outlives every connection.
    let _ = stopping.wait_for(|stop| *stop).await;
    tokio::time::sleep(LAST_CALL).await;
}

fn now(patience: Patience, places: &Places) -> Patience {
    if places.are_few() {
        patience.short()
    } else {
        patience
    }
}

/// How HTTP is spoken. Hyper's own time-out for heads would also end idle connections; the pulse tells the two apart.
fn protocol(last: bool) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .keep_alive(!last)
        .header_read_timeout(None)
        .max_header_size(HEAD_BYTES);
    builder
}

async fn exchange(
    site: &Site,
    ends: Ends,
    pulse: &Pulse,
    stop: &watch::Receiver<bool>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<BoxBody<Bytes, std::io::Error>>, Infallible> {
    pulse.request_began();
    let (parts, incoming) = request.into_parts();
    let body = body::read(&parts.headers, incoming).await;
    let local = LocalAddr(ends.local.into());
    let remote = RemoteAddr(ends.peer.into());
    let scheme = if ends.https { Scheme::HTTPS } else { Scheme::HTTP };
    let mut parts = RequestParts::from((parts, local, remote, scheme));
    let body = match body {
        Ok(bytes) => Body::from(bytes),
        Err(refused) => {
            parts.extensions.insert(refused);
            Body::empty()
        }
    };
    let mut response = site.answer(Request::from_parts(parts, body)).await;
    if *stop.borrow() {
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    pulse.answered();
    Ok(response.into())
}
