//! Migrations, embedded in the program. What is missing runs in one transaction, under an advisory lock: of several servers
//! that start at once one migrates, the others wait and find nothing missing.

use crm_diesel::postgres::Conn;
use crm_diesel::postgres::migrations::Plan;
use crm_domain::ports::store::StoreError;
use crm_domain::ports::store_admin::MigrationStatus;
use diesel::connection::SimpleConnection;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::error::PostgresError;

const EMBEDDED: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// No migration is waited for longer than a lock is; each may take as long as it needs.
const BEGIN: &str = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
                     BEGIN; SELECT pg_advisory_xact_lock(4850113921)";

/// Every migration of this program.
pub(crate) fn plan() -> Result<Plan, StoreError> {
    Plan::of(&EMBEDDED)
}

/// What a database that is yet to be made will get: every migration of this program, none of them applied.
pub fn unapplied() -> Result<Vec<MigrationStatus>, StoreError> {
    Ok(plan()?.unapplied())
}

/// Applies what is missing and undoes it again. Servers that work meanwhile are not waited for longer than a moment.
pub(crate) fn rehearse(conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    conn.batch_execute(BEGIN).map_err(StoreError::unavailable)?;
    conn.batch_execute("SET LOCAL lock_timeout = '2s'")
        .map_err(StoreError::unavailable)?;
    let names = apply(&plan()?, conn)?;
    conn.batch_execute("ROLLBACK").map_err(StoreError::unavailable)?;
    Ok(names)
}

/// Applies what is missing, all or nothing, and returns the names. A database that is up to date is only looked at. The
/// connection is not used for anything else afterwards.
pub(crate) fn migrate(conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    let plan = plan()?;
    if plan.pending(conn)? == 0 {
        return Ok(Vec::new());
    }
    conn.batch_execute(BEGIN).map_err(StoreError::unavailable)?;
    // Any error closes the connection, which rolls back.
    let names = apply(&plan, conn)?;
    conn.batch_execute("COMMIT").map_err(StoreError::unavailable)?;
    Ok(names)
}

fn apply(plan: &Plan, conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    plan.apply(conn, |name, reason| PostgresError::Migration { name, reason })
}
