//! Migrations, embedded in the program. They run all in one transaction on a connection whose foreign keys are not enforced:
//! rebuilding a table would otherwise delete what refers to it. The references are checked before the commit.

use crm_diesel::sqlite::Conn;
use crm_diesel::sqlite::migrations::Plan;
use crm_domain::ports::store::StoreError;
use crm_domain::ports::store_admin::MigrationStatus;
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::connection::Opener;
use crate::error::SqliteError;

const EMBEDDED: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Every migration of this program.
pub(crate) fn plan() -> Result<Plan, StoreError> {
    Plan::of(&EMBEDDED)
}

/// What a database that is yet to be made will get: every migration of this program, none of them applied.
pub fn unapplied() -> Result<Vec<MigrationStatus>, StoreError> {
    Ok(plan()?.unapplied())
}

/// How many a new file gets.
pub(crate) fn wanted(opener: &Opener) -> Result<usize, StoreError> {
    Ok(plan()?.until(opener.until).unapplied().len())
}

/// Applies what is missing, all or nothing, and returns the names. A database that is up to date is only looked at:
/// checking the references of a million rows would cost every start seconds.
pub(crate) fn migrate(opener: &Opener) -> Result<Vec<String>, StoreError> {
    let plan = plan()?.until(opener.until);
    let mut conn = opener.plain()?;
    if plan.pending(&mut conn)? == 0 {
        return Ok(Vec::new());
    }
    conn.batch_execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE")
        .map_err(|error| SqliteError::Busy(error.to_string()))?;
    // Any error closes the connection, which rolls back.
    let names = plan.apply(&mut conn, |name, reason| SqliteError::Migration { name, reason })?;
    refuse_dangling(&mut conn)?;
    conn.batch_execute("COMMIT").map_err(StoreError::unavailable)?;
    Ok(names)
}

fn refuse_dangling(conn: &mut Conn) -> Result<(), StoreError> {
    let dangling: Vec<String> = sql::<Text>("SELECT \"table\" FROM pragma_foreign_key_check")
        .load(conn)
        .map_err(StoreError::unavailable)?;
    match dangling.into_iter().next() {
        Some(table) => Err(SqliteError::Dangling(table).into()),
        None => Ok(()),
    }
}
