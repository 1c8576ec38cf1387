//! What was deleted leaves a table's file when VACUUM overwrites it with what is left.

use crm_diesel::postgres::Conn;
use crm_domain::ports::store::StoreError;
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;

/// The tables in which rows were deleted or changed since they were vacuumed last.
const TOUCHED: &str = "SELECT quote_ident(relname) FROM pg_stat_user_tables \
                       WHERE schemaname = current_schema() AND n_dead_tup > 0 ORDER BY relname";

/// Vacuums what was changed. PostgreSQL's log (WAL), its archives, replicas and backups keep what they have until they are
/// recycled; that is in the administrator's hand and stands in `docs/postgresql.md`.
pub(crate) fn scrub(conn: &mut Conn) -> Result<(), StoreError> {
    let run =
        |conn: &mut Conn, statement: &str| conn.batch_execute(statement).map_err(StoreError::unavailable);
    run(conn, "SET statement_timeout = 0")?;
    run(conn, "SELECT pg_stat_force_next_flush()")?;
    let tables: Vec<String> = sql::<Text>(TOUCHED).load(conn).map_err(StoreError::unavailable)?;
    for table in tables {
        run(conn, &format!("VACUUM {table}"))?;
    }
    run(conn, "CHECKPOINT").or(Ok(()))
}
