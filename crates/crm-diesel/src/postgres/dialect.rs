//! Instants on PostgreSQL are `TIMESTAMP(3)`, UTC.

use crm_domain::instant::Instant;
use diesel::deserialize::{self, FromSql};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Timestamp;
use time::{Duration, PrimitiveDateTime};

use crate::stamp::Stamp;

/// Behind a text: orders it by its bytes, whatever the database's language.
pub(super) const BY_BYTES: &str = "COLLATE \"C\"";

impl ToSql<Timestamp, Pg> for Stamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let at = self.0.utc();
        <PrimitiveDateTime as ToSql<Timestamp, Pg>>::to_sql(&at, &mut out.reborrow())
    }
}

impl FromSql<Timestamp, Pg> for Stamp {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let at = <PrimitiveDateTime as FromSql<Timestamp, Pg>>::from_sql(value)?;
        Ok(Self(Instant::from_utc(at)))
    }
}

/// Now, by the database's own clock. Whatever is a lease goes by it: the instances' clocks differ.
pub(super) fn db_now() -> SqlLiteral<Timestamp> {
    db_in(Duration::ZERO)
}

/// The instant that is so far away by the database's own clock; cut to milliseconds.
pub(super) fn db_in(away: Duration) -> SqlLiteral<Timestamp> {
    let millis = away.whole_milliseconds();
    sql(&format!(
        "date_trunc('milliseconds', clock_timestamp() AT TIME ZONE 'utc') + interval '{millis} milliseconds'"
    ))
}

diesel::define_sql_function! {
    /// The id that this connection gave to a row last.
    #[sql_name = "lastval"]
    fn last_id() -> BigInt;
}
