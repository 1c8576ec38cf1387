//! What was deleted or changed leaves a table and its indexes when it is vacuumed. The freed places in the files keep old
//! bytes until something else is written there; `docs/postgresql.md` says what to do where that is not enough.

use crm_diesel::postgres::Conn;
use crm_domain::ports::store::StoreError;
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;

/// Our tables. PostgreSQL's own count of what changed lags behind, and a table without changes is passed over quickly.
const TABLES: &str = "SELECT quote_ident(relname) FROM pg_class \
                      WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' ORDER BY relname";

/// Vacuums every table with its indexes.
pub(crate) fn scrub(conn: &mut Conn) -> Result<(), StoreError> {
    let run =
        |conn: &mut Conn, statement: &str| conn.batch_execute(statement).map_err(StoreError::unavailable);
    run(conn, "SET statement_timeout = 0")?;
    let tables: Vec<String> = sql::<Text>(TABLES).load(conn).map_err(StoreError::unavailable)?;
    for table in tables {
        run(conn, &format!("VACUUM (INDEX_CLEANUP ON) {table}"))?;
    }
    Ok(())
}
