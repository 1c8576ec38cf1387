//! Operation keys.

use crm_domain::instant::Instant;
use crm_domain::ports::store::OperationKey;
use diesel::dsl::exists;
use diesel::prelude::*;

use super::Conn;
use crate::fault::Fault;
use crate::found::rows;
use crate::schema::operations;
use crate::stamp::Stamp;

pub(super) fn done(conn: &mut Conn, key: &OperationKey) -> Result<bool, Fault> {
    let found = operations::table.filter(operations::key.eq(key.as_slice()));
    Ok(diesel::select(exists(found)).get_result(conn)?)
}

pub(super) fn note(conn: &mut Conn, key: &OperationKey, at: Instant) -> Result<(), Fault> {
    diesel::insert_into(operations::table)
        .values((operations::key.eq(key.as_slice()), operations::at.eq(Stamp(at))))
        .on_conflict(operations::key)
        .do_update()
        .set(operations::at.eq(Stamp(at)))
        .execute(conn)?;
    Ok(())
}

pub(super) fn forget(conn: &mut Conn, before: Instant, limit: usize) -> Result<usize, Fault> {
    let old: Vec<Vec<u8>> = operations::table
        .filter(operations::at.lt(Stamp(before)))
        .limit(rows(limit))
        .select(operations::key)
        .load(conn)?;
    for keys in old.chunks(500) {
        diesel::delete(operations::table.filter(operations::key.eq_any(keys))).execute(conn)?;
    }
    Ok(old.len())
}
