//! What can go wrong with the simulator itself, as opposed to the errors that it plays.

use std::net::SocketAddr;
use std::time::Duration;

/// Why the simulator could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// The address is taken or not ours.
    #[error(
        "the simulator cannot listen on {addr}: {source}. Choose another address, or port 0 for a free one"
    )]
    Listen {
        /// The address that was asked for.
        addr: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The key that signatures are checked with cannot be read.
    #[error("the simulator cannot use its key: {0}. It takes an RSA key in PEM, public or private")]
    Key(&'static str),
    /// A callback was to be sent and no callback URL is set.
    #[error(
        "no callback URL is set, or callbacks are switched off: give one in the configuration or with set_callback_url"
    )]
    NoCallbackUrl,
    /// The callback URL did not answer.
    #[error("the callback could not be delivered to its URL: {0}")]
    NotDelivered(String),
    /// Fewer messages than awaited came in time.
    #[error("waited {waited:?} for {wanted} messages and saw {seen}")]
    TimedOut {
        /// How many were awaited.
        wanted: usize,
        /// How many had come.
        seen: usize,
        /// How long it was waited.
        waited: Duration,
    },
    /// The machine gave no randomness, or a task of the simulator died.
    #[error("the simulator failed within: {0}")]
    Internal(&'static str),
}
