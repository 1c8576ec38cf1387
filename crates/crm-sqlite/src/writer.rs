//! The writer: a thread that owns the only writing connection.

use std::thread::{self, JoinHandle};

use crm_diesel::sqlite::Conn;
use crm_domain::ports::store::{StoreError, Work};
use diesel::connection::SimpleConnection;
use tokio::sync::{mpsc, oneshot};

use crate::connection::Opener;
use crate::error::SqliteError;
use crate::group::{self, Group};

/// How many units of work wait before callers have to.
const QUEUE: usize = 4_096;

/// A unit of work and the caller who waits for its outcome.
pub(crate) struct Job {
    pub(crate) work: Work,
    done: oneshot::Sender<Result<(), StoreError>>,
}

impl Job {
    /// Tells the caller, if it still listens.
    pub(crate) fn answer(self, result: Result<(), StoreError>) {
        drop(self.done.send(result));
    }
}

/// The way to the writer's thread; dropping it waits until the thread has done what was queued.
pub(crate) struct Writer {
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(opener: &Opener) -> Result<Self, SqliteError> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let conn = opener.writing()?;
        let desk = Desk {
            opener: opener.clone(),
            conn: Some(conn),
            jobs,
        };
        let thread = thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || desk.serve())
            .map_err(|error| opener.failed(&error))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Runs a unit of work; the unit runs to its end also when the caller goes away.
    pub(crate) async fn run(&self, work: Work) -> Result<(), StoreError> {
        let (done, outcome) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or(SqliteError::Closed)?;
        queue
            .send(Job { work, done })
            .await
            .map_err(|_| SqliteError::Closed)?;
        outcome.await.unwrap_or(Err(StoreError::Uncertain))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the database writer ended by a panic");
        }
    }
}

/// What the thread works with.
struct Desk {
    opener: Opener,
    conn: Option<Conn>,
    jobs: mpsc::Receiver<Job>,
}

impl Desk {
    fn serve(mut self) {
        while let Some(job) = self.jobs.blocking_recv() {
            self.serve_group(job);
        }
        if let Some(mut conn) = self.conn.take()
            && let Err(error) = conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")
        {
            tracing::warn!(%error, "the write-ahead log was not emptied at the end; the next start does it");
        }
    }

    /// Runs this unit and those that wait behind it in one commit. When the group has to be given up, each runs again in a
    /// commit of its own: what failed alone is told its own error.
    fn serve_group(&mut self, first: Job) {
        let group = Group::new(first, Some(&mut self.jobs));
        let Err(given_up) = attempt(&self.opener, &mut self.conn, group) else {
            return;
        };
        if let [_, _, ..] = given_up.jobs.as_slice() {
            let units = given_up.jobs.len();
            tracing::warn!(units, error = %reason(&given_up.error), "a commit was given up; its units run again one by one");
            for job in given_up.jobs {
                if let Err(alone) = attempt(&self.opener, &mut self.conn, Group::new(job, None)) {
                    answer_all(alone);
                }
            }
        } else {
            answer_all(given_up);
        }
    }
}

/// Runs a group; the connection is kept only if everything on it went well.
fn attempt(opener: &Opener, conn: &mut Option<Conn>, group: Group<'_>) -> Result<(), group::GivenUp> {
    let mut open = match conn.take().map_or_else(|| opener.writing(), Ok) {
        Ok(open) => open,
        Err(error) => {
            group.answer(&StoreError::from(error));
            return Ok(());
        }
    };
    let usable = group.run(&mut open)?;
    if usable {
        *conn = Some(open);
    }
    Ok(())
}

fn answer_all(given_up: group::GivenUp) {
    tracing::error!(error = %reason(&given_up.error), "a unit of work could not be stored");
    for job in given_up.jobs {
        job.answer(Err(given_up.error.clone()));
    }
}

/// The driver's words, which name tables and columns, never values.
fn reason(error: &StoreError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
