//! Migrations, embedded in the program. What is missing runs in one transaction, under an advisory lock: of several servers
//! that start at once one migrates, the others wait and find nothing missing. Servers of the former version work meanwhile:
//! a table that they use is waited for so shortly that whoever waits behind hardly notices, and often enough.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crm_diesel::postgres::Conn;
use crm_diesel::postgres::migrations::Plan;
use crm_domain::ports::store::StoreError;
use crm_domain::ports::store_admin::MigrationStatus;
use diesel::connection::{Connection as _, InstrumentationEvent, SimpleConnection};
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::error::PostgresError;
use crate::unit::is_deadlock;

const EMBEDDED: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// A migration may take as long as it needs, and another program's too.
const BEGIN: &str = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
                     BEGIN; SELECT pg_advisory_xact_lock(4850113921); SET LOCAL lock_timeout = '2s'";
/// The same time: what took less has not failed by it.
const LOCK: Duration = Duration::from_secs(2);
/// The pauses between attempts, in which everybody gets at the tables; the last one again and again.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
/// How long it is tried to get at the tables.
const PATIENCE: Duration = Duration::from_mins(3);

/// Every migration of this program.
pub(crate) fn plan() -> Result<Plan, StoreError> {
    Plan::of(&EMBEDDED)
}

/// What a database that is yet to be made will get: every migration of this program, none of them applied.
pub fn unapplied() -> Result<Vec<MigrationStatus>, StoreError> {
    Ok(plan()?.unapplied())
}

/// Applies what is missing, all or nothing, and returns the names. A database that is up to date is only looked at. The
/// connection is not used for anything else afterwards.
pub(crate) fn migrate(conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    let (plan, end) = (plan()?, Instant::now() + PATIENCE);
    let crowded = watch(conn);
    let mut pauses = PAUSES.iter();
    let mut pause = Duration::ZERO;
    while plan.pending(conn)? > 0 {
        let error = match attempt(&plan, conn) {
            Ok(names) => return Ok(names),
            Err(error) => error,
        };
        if !crowded.swap(false, Ordering::Relaxed) {
            return Err(error);
        }
        pause = pauses.next().copied().unwrap_or(pause);
        if Instant::now() + pause > end {
            return Err(given_up(error));
        }
        conn.batch_execute("ROLLBACK").map_err(StoreError::unavailable)?;
        tracing::warn!("others use the tables that are to be changed; it is tried again");
        sleep(pause);
    }
    Ok(Vec::new())
}

/// All of it, or nothing once it is rolled back.
fn attempt(plan: &Plan, conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    conn.batch_execute(BEGIN).map_err(StoreError::unavailable)?;
    let names = apply(plan, conn)?;
    conn.batch_execute("COMMIT").map_err(StoreError::unavailable)?;
    Ok(names)
}

/// Applies what is missing, inside the caller's transaction.
pub(crate) fn apply(plan: &Plan, conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    plan.apply(conn, |name, reason| PostgresError::Migration { name, reason })
}

fn given_up(error: StoreError) -> StoreError {
    let StoreError::Unavailable(source) = &error else {
        return error;
    };
    match source.downcast_ref() {
        Some(PostgresError::Migration { name, reason }) => PostgresError::Crowded {
            name: name.clone(),
            reason: reason.clone(),
        }
        .into(),
        _ => error,
    }
}

/// Notes whether something failed because of the locks of others. What runs a migration keeps the error to itself but for
/// its words, which are in the language of the cluster; so this looks at each statement on the way.
fn watch(conn: &mut Conn) -> Arc<AtomicBool> {
    let crowded = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&crowded);
    let mut begun = Instant::now();
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| match event {
        InstrumentationEvent::StartQuery { .. } => begun = Instant::now(),
        InstrumentationEvent::FinishQuery {
            error: Some(Error::DatabaseError(DatabaseErrorKind::Unknown, told)),
            ..
        } => {
            let told = told.as_ref();
            let of_others = is_deadlock(told) || begun.elapsed() >= LOCK && says_nothing(told);
            seen.store(of_others, Ordering::Relaxed);
        }
        _ => {}
    });
    crowded
}

/// A lock that was waited for too long is told in one sentence without a place, a name or a hint. diesel keeps the code of
/// the error to itself, so some others look the same; they are tried again for a while too, and told then.
fn says_nothing(told: &(dyn DatabaseErrorInformation + Send + Sync)) -> bool {
    let parts = [
        told.details(),
        told.hint(),
        told.table_name(),
        told.column_name(),
        told.constraint_name(),
    ];
    parts.iter().all(Option::is_none) && told.statement_position().is_none()
}
