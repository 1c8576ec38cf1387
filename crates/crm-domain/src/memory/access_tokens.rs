//! Access tokens in memory.

use time::Duration;

use super::leases::store_now;
use super::unit::Unit;
use crate::access_tokens::{AccessTokenQueries, AccessTokenRepository, FORGOTTEN_AFTER, SealedToken};
use crate::instant::Instant;
use crate::ports::store::StoreError;

#[derive(Debug, Clone)]
pub(super) struct TokenRow {
    connection: String,
    number: i64,
    sealed: Option<Vec<u8>>,
    scope: String,
    used_until: Instant,
    expires_at: Option<Instant>,
}

impl AccessTokenQueries for Unit {
    fn access_token(&mut self, connection: &str) -> Result<Option<SealedToken>, StoreError> {
        self.look(|state| {
            let now = store_now();
            let mut rows = state.access_tokens.iter().map(|(_, row)| row);
            let row = rows.find(|row| row.connection == connection)?;
            Some(SealedToken {
                number: row.number,
                sealed: row.sealed.clone(),
                scope: row.scope.clone(),
                good_for: row.used_until.since(now),
                lives: row.expires_at.map(|at| at.since(now)),
            })
        })
    }
}

impl AccessTokenRepository for Unit {
    fn keep_access_token(
        &mut self,
        connection: &str,
        sealed: &[u8],
        scope: &str,
        good_for: Duration,
        lives: Option<Duration>,
    ) -> Result<i64, StoreError> {
        self.change(|state| {
            let now = store_now();
            let rows = state.access_tokens.iter().map(|(_, row)| row);
            let ours = rows.filter(|row| row.connection == connection);
            let number = ours.map(|row| row.number).max().unwrap_or(0) + 1;
            let old = now.minus(FORGOTTEN_AFTER);
            state
                .access_tokens
                .retain(|row| row.connection != connection && row.used_until >= old);
            state.access_tokens.insert(|_| TokenRow {
                connection: connection.to_owned(),
                number,
                sealed: Some(sealed.to_vec()),
                scope: scope.to_owned(),
                used_until: now.plus(good_for),
                expires_at: lives.map(|left| now.plus(left)),
            });
            Ok(number)
        })
    }

    fn refuse_access_token(&mut self, connection: &str, number: i64) -> Result<bool, StoreError> {
        self.change(|state| {
            let mut rows = state.access_tokens.iter_mut();
            let refused = rows.find(|row| row.connection == connection && row.number == number);
            Ok(refused.and_then(|row| row.sealed.take()).is_some())
        })
    }
}
