//! Migrations, embedded in the program. What is missing runs in one transaction, under an advisory lock: of several servers
//! that start at once one migrates, the others wait and find nothing missing.

use std::collections::HashSet;

use crm_diesel::postgres::{Backend, Conn, versions};
use crm_domain::ports::store::StoreError;
use crm_domain::ports::store_admin::{MigrationStatus, SchemaVersion};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::error::PostgresError;

const EMBEDDED: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// No migration is waited for longer than a lock is; each may take as long as it needs.
const BEGIN: &str = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
                     BEGIN; SELECT pg_advisory_xact_lock(4850113921)";

type Step = Box<dyn Migration<Backend>>;

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}
use __diesel_schema_migrations as done;

/// Every migration of this program, oldest first.
fn steps() -> Result<Vec<Step>, StoreError> {
    let mut steps = EMBEDDED.migrations().map_err(StoreError::unavailable)?;
    steps.sort_by_key(|step| step.name().version().to_string());
    Ok(steps)
}

/// The versions that the database has; an empty one has none.
fn applied(conn: &mut Conn) -> QueryResult<HashSet<String>> {
    let known: bool = diesel::select(sql::<Bool>(
        "to_regclass('__diesel_schema_migrations') IS NOT NULL",
    ))
    .get_result(conn)?;
    if !known {
        return Ok(HashSet::new());
    }
    let versions = done::table.select(done::version).load(conn)?;
    Ok(versions.into_iter().collect())
}

fn missing(conn: &mut Conn) -> Result<Vec<Step>, StoreError> {
    let applied = applied(conn).map_err(StoreError::unavailable)?;
    let mut steps = steps()?;
    steps.retain(|step| !applied.contains(&step.name().version().to_string()));
    Ok(steps)
}

/// How many the database has not.
pub(crate) fn pending(conn: &mut Conn) -> Result<usize, StoreError> {
    Ok(missing(conn)?.len())
}

/// Each with whether the database has it.
pub(crate) fn status(conn: &mut Conn) -> Result<Vec<MigrationStatus>, StoreError> {
    let applied = applied(conn).map_err(StoreError::unavailable)?;
    let status = steps()?.into_iter().map(|step| MigrationStatus {
        name: step.name().to_string(),
        applied: applied.contains(&step.name().version().to_string()),
    });
    Ok(status.collect())
}

/// What a database that is yet to be made will get: every migration of this program, none of them applied.
pub fn unapplied() -> Result<Vec<MigrationStatus>, StoreError> {
    let status = steps()?.into_iter().map(|step| MigrationStatus {
        name: step.name().to_string(),
        applied: false,
    });
    Ok(status.collect())
}

/// What the database says of its schema; `None` if it is too old to say anything.
pub(crate) fn version(conn: &mut Conn) -> Result<Option<SchemaVersion>, StoreError> {
    let applied = applied(conn).map_err(StoreError::unavailable)?;
    if !applied
        .iter()
        .any(|version| versions::number(version) == versions::SINCE)
    {
        return Ok(None);
    }
    Ok(Some(versions::read(conn).map_err(StoreError::unavailable)?))
}

/// The number of the newest migration of this program.
pub(crate) fn newest() -> i64 {
    let steps = steps().unwrap_or_default();
    let numbers = steps
        .iter()
        .map(|step| versions::number(&step.name().version().to_string()));
    numbers.max().unwrap_or_default()
}

/// Applies what is missing and undoes it again. Servers that work meanwhile are not waited for longer than a moment.
pub(crate) fn rehearse(conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    conn.batch_execute(BEGIN).map_err(StoreError::unavailable)?;
    conn.batch_execute("SET LOCAL lock_timeout = '2s'")
        .map_err(StoreError::unavailable)?;
    let names = apply(conn)?;
    conn.batch_execute("ROLLBACK").map_err(StoreError::unavailable)?;
    Ok(names)
}

/// Applies what is missing, all or nothing, and returns the names. A database that is up to date is only looked at. The
/// connection is not used for anything else afterwards.
pub(crate) fn migrate(conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    if missing(conn)?.is_empty() {
        return Ok(Vec::new());
    }
    conn.batch_execute(BEGIN).map_err(StoreError::unavailable)?;
    // Any error closes the connection, which rolls back.
    let names = apply(conn)?;
    conn.batch_execute("COMMIT").map_err(StoreError::unavailable)?;
    Ok(names)
}

fn apply(conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    conn.batch_execute(
        "CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (
             version VARCHAR(50) PRIMARY KEY NOT NULL,
             run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
    )
    .map_err(StoreError::unavailable)?;
    let mut names = Vec::new();
    for step in missing(conn)? {
        let name = step.name().to_string();
        let failed = |reason: String| PostgresError::Migration {
            name: name.clone(),
            reason,
        };
        step.run(conn).map_err(|error| failed(error.to_string()))?;
        diesel::insert_into(done::table)
            .values(done::version.eq(step.name().version().to_string()))
            .execute(conn)
            .map_err(|error| failed(error.to_string()))?;
        names.push(name);
    }
    if newest() >= versions::SINCE {
        versions::note(conn, newest()).map_err(StoreError::unavailable)?;
    }
    Ok(names)
}
