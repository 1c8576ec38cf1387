//! Readings: threads that each own a connection that cannot write. What a connection keeps in memory stays with its thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crm_diesel::sqlite::{Conn, Uow};
use crm_domain::ports::store::{PoolState, ReadWork, StoreError};
use diesel::connection::SimpleConnection;
use tokio::sync::{mpsc, oneshot};

use crate::connection::Opener;
use crate::error::SqliteError;

/// How many readings wait before callers have to.
const QUEUE: usize = 1_024;

/// What to do with a connection, or with the reason why there is none.
type Job = Box<dyn FnOnce(Result<&mut Conn, StoreError>) + Send>;

/// The way to the readers; dropping it waits until they have done what was queued. As many readings run at once as there
/// are readers; others wait without holding a thread.
pub(crate) struct Readers {
    queue: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
    busy: Arc<AtomicUsize>,
}

impl Readers {
    pub(crate) fn start(opener: &Opener, size: u32) -> Result<Self, SqliteError> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let jobs = Arc::new(Mutex::new(jobs));
        let busy = Arc::<AtomicUsize>::default();
        let start = |number: u32| {
            let desk = Desk {
                opener: opener.clone(),
                conn: None,
                jobs: Arc::clone(&jobs),
                busy: Arc::clone(&busy),
            };
            thread::Builder::new()
                .name(format!("sqlite-reader-{number}"))
                .spawn(move || desk.serve())
                .map_err(|error| opener.failed(&error))
        };
        Ok(Self {
            threads: (1..=size).map(start).collect::<Result<_, _>>()?,
            queue: Some(queue),
            busy,
        })
    }

    /// How the readers are used now.
    pub(crate) fn state(&self) -> PoolState {
        let (most, in_use) = (self.threads.len(), self.busy.load(Relaxed));
        let queue = self.queue.as_ref();
        PoolState {
            in_use,
            idle: most.saturating_sub(in_use),
            most,
            waiting: queue.map_or(0, |queue| queue.max_capacity() - queue.capacity()),
        }
    }

    /// Runs a reading on one view of the database.
    pub(crate) async fn run(&self, mut work: ReadWork) -> Result<(), StoreError> {
        self.with(move |conn| {
            begin(conn)?;
            let mut unit = Uow::new(conn);
            let ran = catch_unwind(AssertUnwindSafe(|| work(&mut unit)));
            let spent = unit.spent().cloned();
            conn.batch_execute("ROLLBACK").map_err(StoreError::unavailable)?;
            match (ran, spent) {
                (Err(_), _) => Err(SqliteError::Panicked.into()),
                (Ok(()), Some(error)) => Err(error),
                (Ok(()), None) => Ok(()),
            }
        })
        .await
    }

    /// Lends a reading connection. Nothing is done for a caller who went away before its turn.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (done, outcome) = oneshot::channel();
        let job: Job = Box::new(move |conn| {
            if !done.is_closed() {
                drop(done.send(conn.and_then(work)));
            }
        });
        let queue = self.queue.as_ref().ok_or(SqliteError::Closed)?;
        queue.send(job).await.map_err(|_| SqliteError::Closed)?;
        outcome.await.unwrap_or(Err(SqliteError::Panicked.into()))
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a database reader ended by a panic");
            }
        }
    }
}

/// What a thread works with; its connection is opened when first needed.
struct Desk {
    opener: Opener,
    conn: Option<Conn>,
    jobs: Arc<Mutex<mpsc::Receiver<Job>>>,
    busy: Arc<AtomicUsize>,
}

impl Desk {
    fn serve(mut self) {
        while let Some(job) = self.next() {
            self.busy.fetch_add(1, Relaxed);
            let opened = match self.conn.take() {
                Some(conn) => Ok(conn),
                None => self.opener.reading(),
            };
            match opened {
                Err(error) => job(Err(error.into())),
                Ok(mut conn) => {
                    // After a panic nobody knows what state the connection is in.
                    let ran = catch_unwind(AssertUnwindSafe(|| job(Ok(&mut conn))));
                    self.conn = ran.is_ok().then_some(conn);
                }
            }
            self.busy.fetch_sub(1, Relaxed);
        }
    }

    /// One of the threads waits for the queue, the others for it.
    fn next(&self) -> Option<Job> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.blocking_recv()
    }
}

/// The view is that of the first query.
fn begin(conn: &mut Conn) -> Result<(), StoreError> {
    // A reading before this one may have left its transaction open when its own end failed.
    if conn.batch_execute("BEGIN DEFERRED").is_ok() {
        return Ok(());
    }
    conn.batch_execute("ROLLBACK; BEGIN DEFERRED")
        .map_err(StoreError::unavailable)
}
