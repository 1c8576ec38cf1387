//! Access tokens.

use crm_domain::access_tokens::{AccessTokenQueries, AccessTokenRepository, FORGOTTEN_AFTER, SealedToken};
use crm_domain::ports::store::StoreError;
use diesel::prelude::*;
use time::Duration;

use super::Uow;
use super::dialect::{db_in, db_now};
use crate::schema::access_tokens;
use crate::stamp::Stamp;

type TokenRow = (i64, Option<Vec<u8>>, String, Stamp, Option<Stamp>, Stamp);

fn token_of((number, sealed, scope, used_until, expires_at, now): TokenRow) -> SealedToken {
    SealedToken {
        number,
        sealed,
        scope,
        good_for: used_until.0.since(now.0),
        lives: expires_at.map(|at| at.0.since(now.0)),
    }
}

impl AccessTokenQueries for Uow<'_> {
    fn access_token(&mut self, connection: &str) -> Result<Option<SealedToken>, StoreError> {
        self.run(|conn| {
            let row: Option<TokenRow> = access_tokens::table
                .find(connection)
                .select((
                    access_tokens::number,
                    access_tokens::sealed,
                    access_tokens::scope,
                    access_tokens::used_until,
                    access_tokens::expires_at,
                    db_now(),
                ))
                .first(conn)
                .optional()?;
            Ok(row.map(token_of))
        })
    }
}

impl AccessTokenRepository for Uow<'_> {
    fn keep_access_token(
        &mut self,
        connection: &str,
        sealed: &[u8],
        scope: &str,
        good_for: Duration,
        lives: Option<Duration>,
    ) -> Result<i64, StoreError> {
        self.run(|conn| {
            let forgotten = access_tokens::table
                .filter(access_tokens::connection.ne(connection))
                .filter(access_tokens::used_until.lt(db_in(-FORGOTTEN_AFTER)));
            diesel::delete(forgotten).execute(conn)?;
            let now: Stamp = diesel::select(db_now()).get_result(conn)?;
            let values = (
                access_tokens::sealed.eq(Some(sealed)),
                access_tokens::scope.eq(scope),
                access_tokens::used_until.eq(Stamp(now.0.plus(good_for))),
                access_tokens::expires_at.eq(lives.map(|left| Stamp(now.0.plus(left)))),
            );
            Ok(diesel::insert_into(access_tokens::table)
                .values((
                    access_tokens::connection.eq(connection),
                    access_tokens::number.eq(1),
                    values,
                ))
                .on_conflict(access_tokens::connection)
                .do_update()
                .set((access_tokens::number.eq(access_tokens::number + 1), values))
                .returning(access_tokens::number)
                .get_result(conn)?)
        })
    }

    fn refuse_access_token(&mut self, connection: &str, number: i64) -> Result<bool, StoreError> {
        self.run(|conn| {
            let refused = access_tokens::table
                .find(connection)
                .filter(access_tokens::number.eq(number))
                .filter(access_tokens::sealed.is_not_null());
            let taken = diesel::update(refused)
                .set(access_tokens::sealed.eq(None::<Vec<u8>>))
                .execute(conn)?;
            Ok(taken == 1)
        })
    }
}
