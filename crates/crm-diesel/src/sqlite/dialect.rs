//! Instants on SQLite are text that sorts and that a person can read: `2025-07-08 02:45:46.446`, UTC, always three digits.

use crm_domain::instant::Instant;
use diesel::deserialize::{self, FromSql};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Timestamp;
use diesel::sqlite::{Sqlite, SqliteValue};
use time::Duration;

use crate::stamp::{Stamp, read, write};

/// Behind a text: orders it by its bytes, whatever the database's language.
pub(super) const BY_BYTES: &str = "COLLATE BINARY";

impl ToSql<Timestamp, Sqlite> for Stamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(write(self.0));
        Ok(IsNull::No)
    }
}

impl FromSql<Timestamp, Sqlite> for Stamp {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = value.read_text();
        // A hand that wrote with another tool may have written another of ISO 8601's shapes.
        read(text)
            .or_else(|| Instant::parse(text))
            .map(Self)
            .ok_or_else(|| "not a date and time".into())
    }
}

/// Now, by the database's own clock. Whatever is a lease goes by it: the instances' clocks differ.
pub(super) fn db_now() -> SqlLiteral<Timestamp> {
    db_in(Duration::ZERO)
}

/// The instant that is so far away by the database's own clock; cut to milliseconds.
pub(super) fn db_in(away: Duration) -> SqlLiteral<Timestamp> {
    let (sign, away) = (if away.is_negative() { '-' } else { '+' }, away.unsigned_abs());
    let (seconds, millis) = (away.as_secs(), away.subsec_millis());
    sql(&format!(
        "strftime('%Y-%m-%d %H:%M:%f', 'now', '{sign}{seconds}.{millis:03} seconds')"
    ))
}

diesel::define_sql_function! {
    /// The id that this connection gave to a row last.
    #[sql_name = "last_insert_rowid"]
    fn last_id() -> BigInt;
}
