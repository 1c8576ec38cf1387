//! LINE WORKS' access token as stored: sealed, and shared by all instances. Times are told as what is left of them by the
//! database's clock.

use time::Duration;

use crate::ports::store::StoreError;
use crate::ports::vault::Place;

/// Tokens of other connections are forgotten so long after nobody used them any more.
pub const FORGOTTEN_AFTER: Duration = Duration::DAY;

/// A token as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedToken {
    /// Counts the tokens of this connection.
    pub number: i64,
    /// The envelope; `None` for one that was refused.
    pub sealed: Option<Vec<u8>>,
    /// The scopes granted; empty if the service did not say.
    pub scope: String,
    /// How long it may be used from now on; negative if it may not.
    pub good_for: Duration,
    /// How long LINE WORKS takes it from now on, if it said so.
    pub lives: Option<Duration>,
}

/// Where the token of a connection lies.
pub fn place_of(connection: &str) -> Place {
    Place::new("access_tokens", "sealed", connection)
}

/// Looking tokens up.
pub trait AccessTokenQueries {
    /// The newest token of a connection, good or not.
    fn access_token(&mut self, connection: &str) -> Result<Option<SealedToken>, StoreError>;
}

/// Changing tokens.
pub trait AccessTokenRepository {
    /// Keeps a new token in place of the one before and answers its number. Forgets tokens of other connections that nobody
    /// used for [`FORGOTTEN_AFTER`].
    fn keep_access_token(
        &mut self,
        connection: &str,
        sealed: &[u8],
        scope: &str,
        good_for: Duration,
        lives: Option<Duration>,
    ) -> Result<i64, StoreError>;

    /// Takes away exactly the token of this number; a newer one stays. Says whether it was there.
    fn refuse_access_token(&mut self, connection: &str, number: i64) -> Result<bool, StoreError>;
}
