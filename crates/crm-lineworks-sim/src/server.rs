//! The accept loop, over hyper, so that a connection can be cut in the middle of an answer.

use crate::error::SimError;
use crate::routes;
use crate::state::Shared;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::Response;
use poem::endpoint::BoxEndpoint;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

mod exchange;

const MAX_CONNECTIONS: usize = 1024;
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long accepting rests after an error, such as too many open files.
const PAUSE_ON_ERROR: Duration = Duration::from_millis(50);

pub(crate) type App = BoxEndpoint<'static, Response>;

/// A running accept loop with its connections.
pub(crate) struct Listening(JoinHandle<()>);

impl Listening {
    pub(crate) fn start(listener: TcpListener, shared: Arc<Shared>) -> Self {
        let app = Arc::new(routes::app(Arc::clone(&shared)));
        Self(tokio::spawn(accept(listener, shared, app)))
    }

    /// Closes the listener and cuts its connections.
    pub(crate) async fn end(mut self) {
        self.0.abort();
        // Waiting is for the listener to be gone; that the task was aborted is known.
        let _ = (&mut self.0).await;
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(crate) async fn bind(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), SimError> {
    let failed = |source| SimError::Listen { addr, source };
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, app: Arc<App>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(serve(stream, peer, Arc::clone(&shared), Arc::clone(&app)));
                }
                Err(_) => tokio::time::sleep(PAUSE_ON_ERROR).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn serve(stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>, app: Arc<App>) {
    // Without it answers in two packets wait for each other; failing to set it only costs time.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let (shared, app) = (Arc::clone(&shared), Arc::clone(&app));
        async move { exchange::answer(&shared, &app, request, peer).await }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the LINE WORKS simulator ended early");
    }
}
