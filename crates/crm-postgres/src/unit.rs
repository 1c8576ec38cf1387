//! One attempt at a unit of work on one connection. The statements that begin and end a transaction are issued here and
//! nowhere else.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crm_diesel::postgres::{Conn, Uow};
use crm_domain::ports::store::{ReadWork, StoreError, UnitOfWork, Verdict};
use diesel::connection::SimpleConnection;
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};

use crate::error::PostgresError;

/// What became of an attempt.
pub(crate) enum Attempt {
    /// It is over, and the connection is as it was.
    Done(Result<(), StoreError>),
    /// It is over, and the connection is of no use any more.
    Spoilt(Result<(), StoreError>),
    /// Nothing was stored because others changed the same; the connection is as it was.
    Collided(StoreError),
    /// Nothing was stored because others and this one waited for each other; the connection is as it was.
    Entangled(StoreError),
    /// Nothing was stored because a value is taken or a reference leads nowhere, by a change of others that this one could
    /// not see, or by a fault of its own; the connection is as it was.
    Clashed(StoreError),
    /// Nothing was stored for a reason of the server's; the connection is as it was.
    Stumbled(StoreError),
    /// Nothing was stored, and the connection is of no use any more.
    Failed(StoreError),
}

impl Attempt {
    pub(crate) fn leaves_the_connection_as_it_was(&self) -> bool {
        match self {
            Self::Done(_) | Self::Collided(_) | Self::Entangled(_) | Self::Clashed(_) | Self::Stumbled(_) => {
                true
            }
            Self::Spoilt(_) | Self::Failed(_) => false,
        }
    }
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
            Cause::Knot => undo(conn, Attempt::Entangled(error)),
            Cause::Perhaps => undo(conn, Attempt::Clashed(error)),
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
///
/// An error that the server tells means that nothing was stored: once the record of a commit is written, PostgreSQL knows no
/// error any more, only the end of the connection or of the server. So when the same connection still answers, the commit
/// failed for certain; only a connection that is dead leaves it open.
fn commit(conn: &mut Conn) -> Attempt {
    let Err(error) = conn.batch_execute("SELECT 1; COMMIT") else {
        return Attempt::Done(Ok(()));
    };
    let cause = Cause::of_driver(&error);
    if matches!(cause, Cause::Connection) || conn.batch_execute("ROLLBACK").is_err() {
        tracing::error!(%error, "it is not known whether a commit was stored");
        return Attempt::Spoilt(Err(StoreError::Uncertain));
    }
    let error = StoreError::unavailable(error);
    match cause {
        Cause::Others => Attempt::Collided(error),
        Cause::Knot => Attempt::Entangled(error),
        Cause::Perhaps => Attempt::Clashed(error),
        Cause::Server => Attempt::Stumbled(error),
        Cause::Ours | Cause::Connection => Attempt::Done(Err(error)),
    }
}

/// Who is to blame for an error in the middle of a transaction.
enum Cause {
    /// The unit itself: running it again gives the same.
    Ours,
    /// Somebody who changed the same at the same time.
    Others,
    /// Others and this one, who waited for each other.
    Knot,
    /// Somebody who added or removed a row that this unit could not see, or the unit itself.
    Perhaps,
    /// The server, for a reason that diesel has no word for: a full disk, a time-out. PostgreSQL tells them in the language of
    /// the cluster.
    Server,
    /// The connection is lost, or leads to a server that cannot be written any more.
    Connection,
}

impl Cause {
    fn of(error: &StoreError) -> Self {
        let StoreError::Unavailable(source) = error else {
            return Self::Ours;
        };
        source.downcast_ref::<Error>().map_or(Self::Ours, Self::of_driver)
    }

    fn of_driver(error: &Error) -> Self {
        let Error::DatabaseError(kind, told) = error else {
            return Self::Ours;
        };
        match kind {
            DatabaseErrorKind::SerializationFailure => Self::Others,
            DatabaseErrorKind::UniqueViolation
            | DatabaseErrorKind::ForeignKeyViolation
            | DatabaseErrorKind::ExclusionViolation => Self::Perhaps,
            DatabaseErrorKind::Unknown if is_deadlock(told.as_ref()) => Self::Knot,
            DatabaseErrorKind::Unknown => Self::Server,
            DatabaseErrorKind::UnableToSendCommand
            | DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::ReadOnlyTransaction => Self::Connection,
            _ => Self::Ours,
        }
    }
}

/// Whether this tells of a deadlock. diesel keeps the code of an error to itself, and its words are in the language of the
/// cluster; but no other error lists who waits for whom, a line each with the numbers of two processes.
pub(crate) fn is_deadlock(told: &(dyn DatabaseErrorInformation + Send + Sync)) -> bool {
    let numbers = |line: &str| {
        let words = line.split(|letter: char| !letter.is_ascii_digit());
        words.filter(|word| !word.is_empty()).count()
    };
    let waits: Vec<&str> = told.details().unwrap_or_default().lines().collect();
    waits.len() > 1 && waits.iter().all(|line| numbers(line) > 1)
}

#[cfg(test)]
mod tests {
    use diesel::result::DatabaseErrorInformation;

    use super::is_deadlock;

    struct Told(&'static str);

    impl DatabaseErrorInformation for Told {
        fn message(&self) -> &'static str {
            "…"
        }
        fn details(&self) -> Option<&str> {
            Some(self.0)
        }
        fn hint(&self) -> Option<&str> {
            None
        }
        fn table_name(&self) -> Option<&str> {
            None
        }
        fn column_name(&self) -> Option<&str> {
            None
        }
        fn constraint_name(&self) -> Option<&str> {
            None
        }
        fn statement_position(&self) -> Option<i32> {
            None
        }
    }

    #[test]
    fn a_deadlock_is_told_by_who_waits_for_whom_in_any_language() {
        for (details, is) in [
            (
                "Process 71 waits for ShareLock on transaction 9; blocked by process 72.\n\
                 Process 72 waits for ShareLock on transaction 8; blocked by process 71.",
                true,
            ),
            (
                "プロセス 71 は ShareLock を トランザクション 9 で待機していましたが、プロセス 72 でブロックされました\n\
                 プロセス 72 は ShareLock を トランザクション 8 で待機していましたが、プロセス 71 でブロックされました",
                true,
            ),
            ("Failed on request of size 72 in memory context 9.", false),
            ("", false),
        ] {
            assert_eq!(is_deadlock(&Told(details)), is, "{details}");
        }
    }
}
