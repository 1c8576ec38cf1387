//! Migrations, embedded in the program. They run all in one transaction on a connection whose foreign keys are not enforced:
//! rebuilding a table would otherwise delete what refers to it. The references are checked before the commit.

use std::collections::HashSet;

use crm_diesel::sqlite::{Backend, Conn, versions};
use crm_domain::ports::store::StoreError;
use crm_domain::ports::store_admin::{MigrationStatus, SchemaVersion};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::connection::Opener;
use crate::error::SqliteError;

const EMBEDDED: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

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

/// The versions that the database has; an empty file has none.
fn applied(conn: &mut Conn) -> QueryResult<HashSet<String>> {
    let tables: i64 =
        sql::<BigInt>("SELECT count(*) FROM sqlite_master WHERE name = '__diesel_schema_migrations'")
            .get_result(conn)?;
    if tables == 0 {
        return Ok(HashSet::new());
    }
    let versions = done::table.select(done::version).load(conn)?;
    Ok(versions.into_iter().collect())
}

fn missing(conn: &mut Conn) -> Result<Vec<Step>, StoreError> {
    missing_until(conn, None)
}

/// What the database lacks of the migrations up to this one.
fn missing_until(conn: &mut Conn, until: Option<i64>) -> Result<Vec<Step>, StoreError> {
    let applied = applied(conn).map_err(StoreError::unavailable)?;
    let mut steps = steps()?;
    steps.retain(|step| {
        let version = step.name().version().to_string();
        !applied.contains(&version) && until.is_none_or(|until| versions::number(&version) <= until)
    });
    Ok(steps)
}

/// How many a new file gets.
pub(crate) fn wanted(opener: &Opener) -> Result<usize, StoreError> {
    let steps = steps()?;
    let wanted = steps.iter().filter(|step| {
        let number = versions::number(&step.name().version().to_string());
        opener.until.is_none_or(|until| number <= until)
    });
    Ok(wanted.count())
}

/// How many the database has not.
pub(crate) fn pending(conn: &mut Conn) -> Result<usize, StoreError> {
    Ok(missing(conn)?.len())
}

/// Those of these versions that this program does not know.
pub(crate) fn unknown(versions: &[String]) -> Vec<String> {
    let steps = steps().unwrap_or_default();
    let known: HashSet<String> = steps
        .iter()
        .map(|step| step.name().version().to_string())
        .collect();
    let unknown = versions.iter().filter(|version| !known.contains(*version));
    unknown.cloned().collect()
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

/// Applies what is missing, all or nothing, and returns the names. A database that is up to date is only looked at:
/// checking the references of a million rows would cost every start seconds.
pub(crate) fn migrate(opener: &Opener) -> Result<Vec<String>, StoreError> {
    let mut conn = opener.plain()?;
    if missing_until(&mut conn, opener.until)?.is_empty() {
        return Ok(Vec::new());
    }
    conn.batch_execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE")
        .map_err(|error| SqliteError::Busy(error.to_string()))?;
    // Any error closes the connection, which rolls back.
    let names = apply(&mut conn, opener.until)?;
    conn.batch_execute("COMMIT").map_err(StoreError::unavailable)?;
    Ok(names)
}

fn apply(conn: &mut Conn, until: Option<i64>) -> Result<Vec<String>, StoreError> {
    conn.batch_execute(
        "CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (
             version VARCHAR(50) PRIMARY KEY NOT NULL,
             run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
    )
    .map_err(StoreError::unavailable)?;
    let mut names = Vec::new();
    for step in missing_until(conn, until)? {
        let name = step.name().to_string();
        let failed = |reason: String| SqliteError::Migration {
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
    let reached = until.unwrap_or_else(newest).min(newest());
    if reached >= versions::SINCE {
        versions::note(conn, reached).map_err(StoreError::unavailable)?;
    }
    let dangling: Vec<String> = sql::<Text>("SELECT \"table\" FROM pragma_foreign_key_check")
        .load(conn)
        .map_err(StoreError::unavailable)?;
    match dangling.into_iter().next() {
        Some(table) => Err(SqliteError::Dangling(table).into()),
        None => Ok(names),
    }
}
