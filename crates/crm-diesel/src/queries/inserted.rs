//! Inserting where it has to be fast.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::query_dsl::methods::ExecuteDsl;

use super::Conn;
use super::dialect::last_id;

/// Runs an insert of one row and says its id; `None` if a conflict left it out. SQLite takes RETURNING for a trigger, in
/// which it prepares to undo each statement alone: that costs more than asking afterwards.
pub(super) fn inserted<S: ExecuteDsl<Conn>>(conn: &mut Conn, insert: S) -> QueryResult<Option<i64>> {
    if ExecuteDsl::execute(insert, conn)? == 0 {
        return Ok(None);
    }
    diesel::select(last_id()).get_result(conn).map(Some)
}
