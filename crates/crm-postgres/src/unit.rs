//! One attempt at a unit of work on one connection. The statements that begin and end a transaction are issued here and
//! nowhere else.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crm_diesel::postgres::{Conn, Uow};
use crm_domain::ports::store::{ReadWork, StoreError, UnitOfWork, Verdict};
use diesel::connection::SimpleConnection;
use diesel::result::{DatabaseErrorKind, Error};

use crate::error::PostgresError;

/// What became of an attempt.
pub(crate) enum Attempt {
    /// It is over, and the connection is as it was.
    Done(Result<(), StoreError>),
    /// It is over, and the connection is of no use any more.
    Spoilt(Result<(), StoreError>),
    /// Nothing was stored because others changed the same; the connection is as it was.
    Collided(StoreError),
    /// Nothing was stored for a reason of the server's; the connection is as it was.
    Stumbled(StoreError),
    /// Nothing was stored, and the connection is of no use any more.
    Failed(StoreError),
}

/// How a transaction begins.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    Write,
    Read,
}

impl Mode {
    fn begin(self) -> &'static str {
        match self {
            Self::Write => "BEGIN ISOLATION LEVEL SERIALIZABLE, READ WRITE",
            Self::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        }
    }
}

/// Runs a unit of work in a transaction of its own.
pub(crate) fn write(
    conn: &mut Conn,
    work: &mut (dyn FnMut(&mut dyn UnitOfWork) -> Verdict + Send),
) -> Attempt {
    run(conn, Mode::Write, |unit| work(unit))
}

/// Runs a reading on one view of the database.
pub(crate) fn read(conn: &mut Conn, work: &mut ReadWork) -> Attempt {
    run(conn, Mode::Read, |unit| {
        work(unit);
        Verdict::RollBack
    })
}

fn run(conn: &mut Conn, mode: Mode, work: impl FnOnce(&mut Uow<'_>) -> Verdict) -> Attempt {
    if let Err(error) = conn.batch_execute(mode.begin()) {
        return Attempt::Failed(StoreError::unavailable(error));
    }
    let mut unit = Uow::new(conn);
    let verdict = catch_unwind(AssertUnwindSafe(|| work(&mut unit)));
    let spent = unit.spent().cloned();
    match (verdict, spent) {
        // Nobody knows what state a panic left the connection in.
        (Err(_), _) => Attempt::Spoilt(Err(PostgresError::Panicked.into())),
        (Ok(Verdict::Commit), None) => commit(conn),
        (Ok(Verdict::RollBack), None) => undo(conn, Attempt::Done(Ok(()))),
        (Ok(_), Some(error)) => match Cause::of(&error) {
            Cause::Ours => undo(conn, Attempt::Done(Err(error))),
            Cause::Others => undo(conn, Attempt::Collided(error)),
            Cause::Server => undo(conn, Attempt::Stumbled(error)),
            Cause::Connection => Attempt::Failed(error),
        },
    }
}

fn undo(conn: &mut Conn, attempt: Attempt) -> Attempt {
    match (conn.batch_execute("ROLLBACK"), attempt) {
        (Ok(()), attempt) => attempt,
        // What the unit decided stands: nothing was stored in any case.
        (Err(_), Attempt::Done(result)) => Attempt::Spoilt(result),
        (Err(error), _) => Attempt::Failed(StoreError::unavailable(error)),
    }
}

/// A failed transaction would answer COMMIT by rolling back without an error; the statement before it finds that out.
fn commit(conn: &mut Conn) -> Attempt {
    let Err(error) = conn.batch_execute("SELECT 1; COMMIT") else {
        return Attempt::Done(Ok(()));
    };
    let Error::DatabaseError(kind, _) = &error else {
        return Attempt::Spoilt(Err(StoreError::Uncertain));
    };
    match kind {
        DatabaseErrorKind::SerializationFailure => {
            undo(conn, Attempt::Collided(StoreError::unavailable(error)))
        }
        DatabaseErrorKind::UniqueViolation
        | DatabaseErrorKind::ForeignKeyViolation
        | DatabaseErrorKind::CheckViolation
        | DatabaseErrorKind::ExclusionViolation => {
            undo(conn, Attempt::Done(Err(StoreError::unavailable(error))))
        }
        _ => {
            tracing::error!(%error, "it is not known whether a commit was stored");
            Attempt::Spoilt(Err(StoreError::Uncertain))
        }
    }
}

/// Who is to blame for an error in the middle of a transaction.
enum Cause {
    /// The unit itself: running it again gives the same.
    Ours,
    /// Somebody who changed the same at the same time.
    Others,
    /// The server, for a reason that diesel has no word for: a deadlock, a full disk, a time-out. PostgreSQL tells them in
    /// the language of the cluster.
    Server,
    /// The connection is lost, or leads to a server that cannot be written any more.
    Connection,
}

impl Cause {
    fn of(error: &StoreError) -> Self {
        let StoreError::Unavailable(source) = error else {
            return Self::Ours;
        };
        match source.downcast_ref::<Error>() {
            Some(Error::DatabaseError(kind, _)) => match kind {
                DatabaseErrorKind::SerializationFailure => Self::Others,
                DatabaseErrorKind::Unknown => Self::Server,
                DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::ReadOnlyTransaction => Self::Connection,
                _ => Self::Ours,
            },
            _ => Self::Ours,
        }
    }
}
