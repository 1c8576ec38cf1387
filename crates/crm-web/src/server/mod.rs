//! The server: an accept loop of our own over hyper, because poem's `Server` cannot be defended by its settings.
//!
//! A connection gets ten seconds for each request's head, ten for its body, and is cut when it takes no answer. Requests
//! reach poem with their body read and bounded, so no extractor can be flooded.

mod accept;
mod asking;
mod begun;
mod body;
mod connection;
mod front;
mod headers;
mod listen;
mod network;
mod open;
mod peers;
mod plain;
mod pulse;
mod request_id;
mod request_log;
mod span;
mod tls;
mod typed;

pub use accept::{Limits, Secured, Stop, serve};
pub use asking::RequestCaller;
pub(crate) use asking::{request_id, spawn};
pub use begun::Caller;
pub use body::BodyRefused;
pub use front::{CallbackDoor, Front};
pub use listen::{ListenError, bind};
pub use network::Networks;
pub use open::Open;
pub use plain::PlainDoor;
pub(crate) use request_id::RequestIds;
pub use span::SpanTools;
pub use tls::{PairFiles, Tls, TlsError};

/// What answers the requests of one listener.
pub type Site = std::sync::Arc<dyn Answer>;

/// Answers requests; errors have become responses.
#[async_trait::async_trait]
pub trait Answer: Send + Sync {
    /// The answer to a request whose body is read.
    async fn answer(&self, request: poem::Request) -> poem::Response;
}
