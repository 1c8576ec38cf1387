//! Instants on PostgreSQL are `TIMESTAMP(3)`, UTC.

use crm_domain::events::EventPlace;
use crm_domain::instant::Instant;
use crm_domain::ports::store::StoreError;
use diesel::deserialize::{self, FromSql};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::pg::{Pg, PgValue};
use diesel::prelude::*;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{BigInt, Bool, Text, Timestamp};
use time::{Duration, PrimitiveDateTime};

use crate::fault::Fault;
use crate::schema::events;
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

/// Whether the database has a table of this name.
///
/// # Errors
/// The database cannot be asked.
pub fn has_table(conn: &mut super::Conn, name: &str) -> Result<bool, StoreError> {
    let known = sql::<Bool>("to_regclass(quote_ident(")
        .bind::<Text, _>(name)
        .sql(")) IS NOT NULL");
    diesel::select(known)
        .get_result(conn)
        .map_err(StoreError::unavailable)
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

/// Every transaction of this database before this one has ended. Those of other databases of the same server are known by
/// their backends and left out: a long one there would hold up the events here. What is not known counts as ours.
const HORIZON: &str = "(SELECT coalesce(min(running::text::bigint), \
     pg_snapshot_xmax(pg_current_snapshot())::text::bigint) \
     FROM pg_snapshot_xip(pg_current_snapshot()) AS running \
     WHERE NOT EXISTS (SELECT 1 FROM pg_stat_activity JOIN pg_database ON pg_database.oid = datid \
         WHERE backend_xid = running::xid AND pg_database.datname <> current_database()))";

/// The events behind a place, in their order: by transaction, then by number, up to where nothing is added any more.
pub(super) fn events_beyond(place: EventPlace) -> events::BoxedQuery<'static, Pg> {
    events::table
        .filter(events::xid.lt(sql::<BigInt>(HORIZON)))
        .filter(events::xid.ge(place.xid))
        .filter(events::xid.gt(place.xid).or(events::id.gt(place.seq)))
        .order_by((events::xid, events::id))
        .into_boxed()
}

/// The events, newest first, from where nothing is added any more.
pub(super) fn newest_events() -> events::BoxedQuery<'static, Pg> {
    events::table
        .filter(events::xid.lt(sql::<BigInt>(HORIZON)))
        .order_by((events::xid.desc(), events::id.desc()))
        .into_boxed()
}

/// In the transaction of a place, up to its number, or in an earlier one.
type SameOrBefore = diesel::dsl::Or<diesel::dsl::Lt<events::xid, i64>, diesel::dsl::LtEq<events::id, i64>>;

/// The events up to a place.
pub(super) fn events_up_to(
    place: EventPlace,
) -> diesel::dsl::And<diesel::dsl::LtEq<events::xid, i64>, SameOrBefore> {
    events::xid
        .le(place.xid)
        .and(events::xid.lt(place.xid).or(events::id.le(place.seq)))
}

/// Whether there are events of transactions that have not begun here: a dump of another database was loaded.
pub(super) fn events_are_foreign(conn: &mut super::Conn) -> Result<bool, Fault> {
    let ahead = events::xid.ge(sql::<BigInt>(
        "pg_snapshot_xmax(pg_current_snapshot())::text::bigint",
    ));
    Ok(diesel::select(diesel::dsl::exists(events::table.filter(ahead))).get_result(conn)?)
}

/// The name of the history of events: what is stored, and the server's timeline, which is another one once a replica took
/// over or an old state was played back. A replica does not know it at every moment; what it says may be an earlier one.
pub(super) fn epoch_name() -> SqlLiteral<Text> {
    sql("epoch || CASE WHEN pg_is_in_recovery() \
         THEN lpad(to_hex((pg_control_checkpoint()).timeline_id), 8, '0') \
         ELSE lower(substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)) END")
}

/// A fresh name for a history of events.
pub(super) fn new_epoch() -> SqlLiteral<Text> {
    sql("substr(replace(gen_random_uuid()::text, '-', ''), 1, 16)")
}

/// Rows that another transaction holds are passed over; the rows found are held.
macro_rules! skip_locked {
    ($query:expr) => {
        $query.for_update().skip_locked()
    };
}
pub(super) use skip_locked;
