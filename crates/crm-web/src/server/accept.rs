//! Accepting connections within limits, and letting them end when the server stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::connection::{self, Ends, Held};
use super::peers::{Counted, Peers};
use super::pulse::Patience;
use super::{Networks, Open, Site, Tls};
use crate::flood::Flood;

/// How long accepting rests after an error such as too many open files.
const PAUSE_ON_ERROR: Duration = Duration::from_millis(100);
/// How long answers may still take once the server stops.
const FAREWELL: Duration = Duration::from_secs(8);
/// How long the system may take to hand over who came before the server stopped.
const AT_THE_DOOR: Duration = Duration::from_millis(5);
/// How long these may take to say what they want.
const LAST_HEAD: Duration = Duration::from_secs(2);

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
    /// Where the connections are counted.
    pub open: Open,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 768,
            per_peer: 256,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            write: Duration::from_secs(30),
            open: Open::default(),
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

/// TLS of our own.
#[derive(Clone)]
pub struct Secured {
    /// The certificate.
    pub tls: Tls,
    /// What answers those who speak http all the same.
    pub plain: Site,
}

/// Answers on `listener` until the stop. Who waited at the door by then gets one answer; then nobody new is taken, and the
/// other connections end with their next answer, or soon without one.
pub async fn serve(
    listener: Arc<TcpListener>,
    site: Site,
    secured: Option<Secured>,
    limits: Limits,
    proxies: Networks,
    stop: Stop,
) {
    let acceptor = Acceptor {
        places: Places::new(limits.connections),
        peers: Peers::default(),
        limits,
        proxies,
        site,
        secured,
        stop: stop.clone(),
    };
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
    while let Ok(accepted) = tokio::time::timeout(AT_THE_DOOR, acceptor.accept(&listener)).await {
        if let Some(accepted) = accepted {
            connections.spawn(acceptor.connection(accepted, true));
        }
    }
    // Whoever comes from now on is refused, and a balancer asks another instance at once.
    drop(listener);
    let ending = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(FAREWELL, ending).await.is_err() {
        tracing::warn!("some requests took too long and were cut when the server stopped");
    }
}

/// The connections that can be open at once.
#[derive(Debug, Clone)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    all: usize,
}

impl Places {
    fn new(all: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(all)),
            all,
        }
    }

    /// Whether less than a quarter is free.
    pub(super) fn are_few(&self) -> bool {
        self.free.available_permits() < self.all / 4
    }
}

struct Acceptor {
    places: Places,
    peers: Peers,
    limits: Limits,
    proxies: Networks,
    site: Site,
    secured: Option<Secured>,
    stop: Stop,
}

struct Accepted {
    stream: TcpStream,
    ends: Ends,
    granted: (OwnedSemaphorePermit, Option<Counted>),
}

impl Acceptor {
    /// Serves an accepted connection; only one request of it when it is the last.
    fn connection(&self, accepted: Accepted, last: bool) -> impl Future<Output = ()> + Send + use<> {
        let talk = Talk {
            site: Arc::clone(&self.site),
            secured: self.secured.clone(),
            patience: self.patience(last),
            places: self.places.clone(),
            stopping: self.stop.subscribe(),
            last,
        };
        let entered = self.limits.open.enter();
        async move {
            let Accepted {
                stream,
                ends,
                granted,
            } = accepted;
            // Without it small answers wait for the peer's acknowledgement; failing to set it only costs time.
            let _ = stream.set_nodelay(true);
            talk.have(stream, ends).await;
            drop((granted, entered));
        }
    }

    /// The next connection; `None` when there was an error, or when a peer has too many.
    async fn accept(&self, listener: &TcpListener) -> Option<Accepted> {
        let permit = Arc::clone(&self.places.free).acquire_owned().await.ok()?;
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
            ends: Ends {
                local,
                peer,
                https: false,
            },
            granted: (permit, counted),
        })
    }

    fn patience(&self, last: bool) -> Patience {
        let head = if last { LAST_HEAD } else { self.limits.head };
        Patience {
            head: head.min(self.limits.head),
            idle: self.limits.idle,
            write: self.limits.write,
        }
    }
}

/// How a connection is served.
struct Talk {
    site: Site,
    secured: Option<Secured>,
    patience: Patience,
    places: Places,
    stopping: watch::Receiver<bool>,
    last: bool,
}

/// The first byte of whoever begins TLS; no request begins with it.
const HANDSHAKE: u8 = 0x16;

impl Talk {
    async fn have(self, stream: TcpStream, ends: Ends) {
        let Some(secured) = &self.secured else {
            return self.talk(stream, ends, &self.site).await;
        };
        let Some(first) = self.in_time(first_byte(&stream)).await.flatten() else {
            return;
        };
        if first != HANDSHAKE {
            return self.talk(stream, ends, &secured.plain).await;
        }
        match self.in_time(secured.tls.acceptor().accept(stream)).await {
            Some(Ok(stream)) => {
                let ends = Ends { https: true, ..ends };
                self.talk(stream, ends, &self.site).await;
            }
            Some(Err(error)) => tracing::debug!(peer = %ends.peer, %error, "TLS did not come about"),
            None => tracing::debug!(peer = %ends.peer, "TLS came too slowly"),
        }
    }

    async fn talk<S: AsyncRead + AsyncWrite + Unpin + Send>(&self, stream: S, ends: Ends, site: &Site) {
        let held = Held {
            patience: self.patience,
            places: self.places.clone(),
            stopping: self.stopping.clone(),
            last: self.last,
        };
        connection::serve(stream, ends, Arc::clone(site), held).await;
    }

    fn head(&self) -> Duration {
        if self.places.are_few() {
            self.patience.short().head
        } else {
            self.patience.head
        }
    }

    /// What is done before the first request may take as long as its head; nothing is waited for once the server stops.
    async fn in_time<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut stopping = self.stopping.clone();
        let ends = self.last;
        tokio::select! {
            done = tokio::time::timeout(self.head(), work) => done.ok(),
            _ = stopping.wait_for(|stop| *stop), if !ends => None,
        }
    }
}

/// The first byte that a peer sends, left where it is.
async fn first_byte(stream: &TcpStream) -> Option<u8> {
    let mut first = [0];
    let count = stream.peek(&mut first).await.ok()?;
    (count == 1).then_some(first[0])
}
