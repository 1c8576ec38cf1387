//! Instants on SQLite are text that sorts and that a person can read: `2025-07-08 02:45:46.446`, UTC, always three digits.

use crm_domain::events::EventPlace;
use crm_domain::instant::Instant;
use crm_domain::ports::store::StoreError;
use diesel::deserialize::{self, FromSql};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Text, Timestamp};
use diesel::sqlite::{Sqlite, SqliteValue};
use time::Duration;

use crate::fault::Fault;
use crate::schema::{event_epoch, events};
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

/// Whether the database has a table of this name.
///
/// # Errors
/// The database cannot be asked.
pub fn has_table(conn: &mut SqliteConnection, name: &str) -> Result<bool, StoreError> {
    let tables: i64 = sql::<BigInt>("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ")
        .bind::<Text, _>(name)
        .get_result(conn)
        .map_err(StoreError::unavailable)?;
    Ok(tables > 0)
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

/// The events behind a place, oldest first: one writes at a time, so the order is that of numbers.
pub(super) fn events_beyond(place: EventPlace) -> events::BoxedQuery<'static, Sqlite> {
    events::table
        .filter(events::id.gt(place.seq))
        .order_by(events::id)
        .into_boxed()
}

/// The events, newest first.
pub(super) fn newest_events() -> events::BoxedQuery<'static, Sqlite> {
    events::table.order_by(events::id.desc()).into_boxed()
}

/// The events up to a place.
pub(super) fn events_up_to(place: EventPlace) -> diesel::dsl::LtEq<events::id, i64> {
    events::id.le(place.seq)
}

/// Nobody else's numbers mean anything else here.
#[expect(clippy::unnecessary_wraps, reason = "another database has to look")]
pub(super) fn events_are_foreign(_: &mut SqliteConnection) -> Result<bool, Fault> {
    Ok(false)
}

/// The name of the history of events.
pub(super) fn epoch_name() -> event_epoch::epoch {
    event_epoch::epoch
}

/// A fresh name for a history of events.
pub(super) fn new_epoch() -> SqlLiteral<Text> {
    sql("lower(hex(randomblob(8)))")
}

/// Rows that another transaction holds are passed over. SQLite has one writer: there are none.
macro_rules! skip_locked {
    ($query:expr) => {
        $query
    };
}
pub(super) use skip_locked;
