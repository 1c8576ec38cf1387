//! Accepting connections within limits, and letting them end when the server stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::connection::{self, Ends};
use super::peers::{Counted, Peers};
use super::pulse::Patience;
use super::{Networks, Site};
use crate::flood::Flood;

/// How long accepting rests after an error such as too many open files.
const PAUSE_ON_ERROR: Duration = Duration::from_millis(100);
/// How long answers may still take once the server stops.
const FAREWELL: Duration = Duration::from_secs(8);

/// What a listener grants.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once; the usual 1,024 open files leave room for the database beside them.
    pub connections: usize,
    /// Connections at once of one address that is no trusted proxy.
    pub per_peer: usize,
    /// For the head of a request.
    pub head: Duration,
    /// Between an answer and the next request.
    pub idle: Duration,
    /// For taking a piece of an answer.
    pub write: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 768,
            per_peer: 512,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            write: Duration::from_secs(30),
        }
    }
}

/// Tells listeners and background work that the server stops.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stop {
    /// Says so; once said it stays.
    pub fn now(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was said.
    pub fn is_said(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is said.
    pub async fn said(&self) {
        // The sender lives in self, so waiting cannot fail.
        let _ = self.0.subscribe().wait_for(|stop| *stop).await;
    }

    fn subscribe(&self) -> watch::Receiver<bool> {
        self.0.subscribe()
    }
}

/// Answers on `listener` until the stop. From then on connections end with their next answer, and new ones are taken
/// only as long as earlier requests still run: who asks meanwhile whether we are ready learns that we are not.
pub async fn serve(listener: TcpListener, site: Site, limits: Limits, proxies: Networks, stop: Stop) {
    let acceptor = Acceptor::new(site, limits, proxies, stop.clone());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.said() => break,
            accepted = acceptor.accept(&listener) => {
                if let Some(accepted) = accepted {
                    connections.spawn(acceptor.connection(accepted, false));
                }
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
    let mut late = JoinSet::new();
    let ending = async {
        while !connections.is_empty() {
            tokio::select! {
                _ = connections.join_next() => {}
                Some(accepted) = acceptor.accept(&listener) => {
                    late.spawn(acceptor.connection(accepted, true));
                }
            }
        }
        drop(listener);
        while late.join_next().await.is_some() {}
    };
    if tokio::time::timeout(FAREWELL, ending).await.is_err() {
        tracing::warn!("some requests took too long and were cut when the server stopped");
    }
}

struct Acceptor {
    free: Arc<Semaphore>,
    peers: Peers,
    limits: Limits,
    proxies: Networks,
    site: Site,
    stop: Stop,
}

struct Accepted {
    stream: TcpStream,
    ends: Ends,
    granted: (OwnedSemaphorePermit, Option<Counted>),
}

impl Acceptor {
    fn new(site: Site, limits: Limits, proxies: Networks, stop: Stop) -> Self {
        let free = Arc::new(Semaphore::new(limits.connections));
        Self {
            free,
            peers: Peers::default(),
            limits,
            proxies,
            site,
            stop,
        }
    }

    /// Serves an accepted connection; only one request of it when it is the last.
    fn connection(&self, accepted: Accepted, last: bool) -> impl Future<Output = ()> + Send + use<> {
        let (site, patience, stop) = (Arc::clone(&self.site), self.patience(), self.stop.subscribe());
        async move {
            let Accepted {
                stream,
                ends,
                granted,
            } = accepted;
            connection::serve(stream, ends, site, patience, stop, last).await;
            drop(granted);
        }
    }

    /// The next connection; `None` when there was an error, or when a peer has too many.
    async fn accept(&self, listener: &TcpListener) -> Option<Accepted> {
        let permit = Arc::clone(&self.free).acquire_owned().await.ok()?;
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                static FLOOD: Flood = Flood::new(1);
                if FLOOD.pass().is_some() {
                    tracing::warn!("connections cannot be accepted now: {error}");
                }
                tokio::time::sleep(PAUSE_ON_ERROR).await;
                return None;
            }
        };
        let local = stream.local_addr().unwrap_or(SocketAddr::from(([0, 0, 0, 0], 0)));
        let counted = if self.proxies.contains(peer.ip()) {
            None
        } else {
            Some(self.peers.count(peer.ip(), self.limits.per_peer)?)
        };
        Some(Accepted {
            stream,
            ends: Ends { local, peer },
            granted: (permit, counted),
        })
    }

    fn patience(&self) -> Patience {
        Patience {
            head: self.limits.head,
            idle: self.limits.idle,
            write: self.limits.write,
        }
    }
}
