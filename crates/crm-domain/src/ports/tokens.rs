//! The shelf on which all instances keep LINE WORKS' access token, so that they ask for one together.

use std::fmt;

use async_trait::async_trait;
use time::Duration;

/// A token that may be used. `Debug` leaves it out.
#[derive(Clone, PartialEq, Eq)]
pub struct ShelvedToken {
    /// Counts the tokens of this connection; from 1.
    pub number: i64,
    /// The token.
    pub text: String,
    /// The scopes granted; empty if the service did not say.
    pub scope: String,
    /// How long it may be used from now on.
    pub good_for: Duration,
    /// How long LINE WORKS takes it from now on, if it said so.
    pub lives: Option<Duration>,
}

impl fmt::Debug for ShelvedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShelvedToken")
            .field("number", &self.number)
            .field("good_for", &self.good_for)
            .finish_non_exhaustive()
    }
}

/// A token as LINE WORKS issued it.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedToken {
    /// The token.
    pub text: String,
    /// The scopes granted; empty if the service did not say.
    pub scope: String,
    /// How long it may be used.
    pub good_for: Duration,
    /// How long LINE WORKS takes it, if it said so.
    pub lives: Option<Duration>,
}

/// Who asks LINE WORKS for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenTurn {
    /// Nobody: there is a good one.
    Good(ShelvedToken),
    /// Whoever called this, within a minute; then it is to be told by [`TokenShelf::keep`] or [`TokenShelf::give_up`].
    Ours,
    /// Another instance does so now.
    Wait,
}

/// The shelf cannot be used, for the reason with this code: the database is away, or nothing can be sealed. Every instance asks
/// for itself then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the shared access token cannot be read or kept: {0}")]
pub struct ShelfAway(pub &'static str);

/// Keeps the token of each connection. A connection is named by a fingerprint of all that a token depends on, so that a
/// connection that was set up otherwise has another token.
#[async_trait]
pub trait TokenShelf: Send + Sync {
    /// The number of the newest token, refused or not; 0 before the first.
    async fn newest(&self, connection: &str) -> Result<i64, ShelfAway>;

    /// A good token whose number is above `beyond`, or whose turn it is to ask for one: of several who ask at once one gets
    /// the turn, for 60 seconds by the shelf's clock.
    async fn turn(&self, connection: &str, beyond: i64) -> Result<TokenTurn, ShelfAway>;

    /// Keeps a token, answers its number and ends the turn.
    async fn keep(&self, connection: &str, token: &IssuedToken) -> Result<i64, ShelfAway>;

    /// Ends the turn without a token: another may try at once.
    async fn give_up(&self, connection: &str) -> Result<(), ShelfAway>;

    /// Takes away exactly the token of this number, which LINE WORKS refused; a newer one stays.
    async fn refuse(&self, connection: &str, number: i64) -> Result<(), ShelfAway>;
}
