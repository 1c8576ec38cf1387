//! Units of work that share a commit. The statements that begin and end it are issued here and nowhere else, and each unit
//! ends with one that fails if SQLite has ended the transaction by itself.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crm_diesel::sqlite::{Conn, Uow};
use crm_domain::ports::store::{StoreError, Verdict, Work};
use diesel::connection::SimpleConnection;
use tokio::sync::mpsc;

use crate::error::SqliteError;
use crate::writer::Job;

/// How many units share a commit at most.
const MOST: usize = 256;
/// How long a group takes further units; what is in it waits for its commit.
const PATIENCE: Duration = Duration::from_millis(50);

/// A group that was rolled back as a whole: nobody was told anything.
pub(crate) struct GivenUp {
    pub(crate) jobs: Vec<Job>,
    pub(crate) error: StoreError,
}

/// What became of one unit in its savepoint.
enum Outcome {
    /// It waits for the commit.
    Ready,
    /// It was undone, because it said so or because it failed.
    Undone(Result<(), StoreError>),
}

/// The units of one commit, and where further ones come from.
pub(crate) struct Group<'a> {
    jobs: Vec<Job>,
    more: Option<&'a mut mpsc::Receiver<Job>>,
}

impl<'a> Group<'a> {
    pub(crate) fn new(first: Job, more: Option<&'a mut mpsc::Receiver<Job>>) -> Self {
        Self {
            jobs: vec![first],
            more,
        }
    }

    /// Tells everybody the same error.
    pub(crate) fn answer(self, error: &StoreError) {
        for job in self.jobs {
            job.answer(Err(error.clone()));
        }
    }

    /// What waits behind shares the fate: otherwise each would wait as long again, one after the other.
    fn answer_with_those_behind(mut self, error: &StoreError) {
        if let Some(more) = self.more.take() {
            self.jobs.extend(std::iter::from_fn(|| more.try_recv().ok()));
        }
        self.answer(error);
    }

    /// Runs the units in one transaction and tells each its outcome after the commit. Says whether the connection can be
    /// used again.
    pub(crate) fn run(mut self, conn: &mut Conn) -> Result<bool, GivenUp> {
        if let Err(error) = conn.batch_execute("BEGIN IMMEDIATE") {
            self.answer_with_those_behind(&SqliteError::Busy(error.to_string()).into());
            return Ok(false);
        }
        let outcomes = match self.run_units(conn) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                // Often there is nothing left to roll back; the connection is closed anyway.
                drop(conn.batch_execute("ROLLBACK"));
                return Err(GivenUp {
                    jobs: self.jobs,
                    error,
                });
            }
        };
        let committed = conn.batch_execute("COMMIT");
        if let Err(error) = &committed {
            tracing::error!(%error, "it is not known whether a commit was stored");
        }
        for (job, outcome) in self.jobs.into_iter().zip(outcomes) {
            job.answer(match outcome {
                Outcome::Undone(result) => result,
                Outcome::Ready if committed.is_ok() => Ok(()),
                Outcome::Ready => Err(StoreError::Uncertain),
            });
        }
        Ok(committed.is_ok())
    }

    fn run_units(&mut self, conn: &mut Conn) -> Result<Vec<Outcome>, StoreError> {
        let began = Instant::now();
        let mut outcomes = Vec::new();
        while let Some(job) = self.jobs.get_mut(outcomes.len()) {
            let fence = if outcomes.is_empty() {
                Fence::Transaction
            } else {
                Fence::Savepoint
            };
            outcomes.push(run_unit(conn, &mut job.work, fence)?);
            if outcomes.len() < MOST && began.elapsed() < PATIENCE {
                let next = self.more.as_mut().and_then(|jobs| jobs.try_recv().ok());
                self.jobs.extend(next);
            }
        }
        Ok(outcomes)
    }
}

/// How a unit is fenced off from the others of its group.
#[derive(Clone, Copy)]
enum Fence {
    /// The first needs none: what it leaves undone is the whole transaction so far. SQLite then keeps no second copy of
    /// the pages that it changes, which spares a large unit a third of its time.
    Transaction,
    /// A savepoint.
    Savepoint,
}

/// Runs a unit. An error means that the transaction, with all units in it, is lost.
fn run_unit(conn: &mut Conn, work: &mut Work, fence: Fence) -> Result<Outcome, StoreError> {
    if let Fence::Savepoint = fence {
        execute(conn, "SAVEPOINT unit")?;
    }
    let mut uow = Uow::new(conn);
    let verdict = catch_unwind(AssertUnwindSafe(|| work(&mut uow)));
    let spent = uow.spent().cloned();
    if uow.transaction_lost() {
        return Err(spent.unwrap_or(StoreError::Uncertain));
    }
    let result = match (verdict, spent) {
        (Ok(Verdict::Commit), None) => {
            keep(conn, fence)?;
            return Ok(Outcome::Ready);
        }
        (Ok(Verdict::RollBack), None) => Ok(()),
        (Ok(_), Some(error)) => Err(error),
        (Err(_), _) => Err(SqliteError::Panicked.into()),
    };
    undo(conn, fence)?;
    Ok(Outcome::Undone(result))
}

fn keep(conn: &mut Conn, fence: Fence) -> Result<(), StoreError> {
    match fence {
        Fence::Savepoint => execute(conn, "RELEASE unit"),
        // Inside a transaction no other can begin; where one can, SQLite has ended ours.
        Fence::Transaction if conn.batch_execute("BEGIN").is_ok() => {
            Err(SqliteError::Lost("the transaction was ended".to_owned()).into())
        }
        Fence::Transaction => Ok(()),
    }
}

fn undo(conn: &mut Conn, fence: Fence) -> Result<(), StoreError> {
    execute(
        conn,
        match fence {
            Fence::Savepoint => "ROLLBACK TO unit; RELEASE unit",
            Fence::Transaction => "ROLLBACK; BEGIN IMMEDIATE",
        },
    )
}

fn execute(conn: &mut Conn, statement: &str) -> Result<(), StoreError> {
    conn.batch_execute(statement)
        .map_err(|error| SqliteError::Lost(error.to_string()).into())
}
