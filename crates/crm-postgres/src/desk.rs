//! Where units of work come in: lends each a connection, watches its time, runs it again where that is right.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use crm_diesel::postgres::Conn;
use crm_domain::ports::store::{ReadWork, StoreError, Work};
use deadpool::managed::Object;
use tokio::time::{Instant, sleep, sleep_until};

use crate::connection::Line;
use crate::error::PostgresError;
use crate::pool::{Manager, Pool};
use crate::unit::{self, Attempt};

/// How long a unit of work may take, all its attempts together.
const WRITE: Duration = Duration::from_secs(10);
/// How long a reading may take.
const READ: Duration = Duration::from_secs(20);
/// How long an attempt goes on before it is looked whether the server lives.
const PULSE: Duration = Duration::from_secs(3);
/// How long a server that cannot be reached is tried again.
const REACH: Duration = Duration::from_secs(2);
/// The pause between.
const AGAIN: Duration = Duration::from_millis(100);
/// How often a unit loses its connection, or fails for a reason of the server's that may pass.
const FAILURES: u32 = 4;
/// How often a unit meets a value or a reference that may come from somebody whose change it could not see.
const CLASHES: u32 = 3;
/// Who collided this often, or stood in a deadlock, takes its further turns alone.
const PATIENCE: u32 = 4;
/// How long such a one waits for others like it.
const QUEUE: Duration = Duration::from_secs(1);

/// Runs units of work on the connections of a pool.
pub(crate) struct Desk {
    pool: Pool,
    /// Where those wait who collide again and again.
    lane: tokio::sync::Mutex<()>,
}

impl Desk {
    pub(crate) fn new(pool: Pool) -> Self {
        Self {
            pool,
            lane: tokio::sync::Mutex::new(()),
        }
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Runs a unit of work until it is stored, decided otherwise, or out of time.
    pub(crate) async fn write(self: Arc<Self>, work: Work) -> Result<(), StoreError> {
        self.write_within(work, WRITE).await
    }

    /// The same with so much time, or less.
    pub(crate) async fn write_within(
        self: Arc<Self>,
        mut work: Work,
        within: Duration,
    ) -> Result<(), StoreError> {
        let mut turns = Turns::new(WRITE.min(within));
        let mut alone = None;
        loop {
            let line = self.line(&turns).await?;
            let run = move |conn: &mut Conn| {
                let attempt = unit::write(conn, &mut work);
                (work, attempt)
            };
            let back = self.attempt(line, turns.end, run).await?;
            work = back.0;
            match back.1 {
                Attempt::Done(result) | Attempt::Spoilt(result) => return result,
                attempt => turns.next(attempt).await?,
            }
            if turns.crowded && alone.is_none() {
                alone = tokio::time::timeout(QUEUE, self.lane.lock()).await.ok();
            }
        }
    }

    /// Runs a reading; it may always be run again.
    pub(crate) async fn read(self: Arc<Self>, work: ReadWork) -> Result<(), StoreError> {
        self.read_within(work, READ).await.map_err(|(_, error)| error)
    }

    /// Runs a reading, and gives it back when it could not be done.
    pub(crate) async fn read_within(
        &self,
        mut work: ReadWork,
        within: Duration,
    ) -> Result<(), (Option<ReadWork>, StoreError)> {
        let mut turns = Turns::new(within);
        loop {
            let line = match self.line(&turns).await {
                Ok(line) => line,
                Err(error) => return Err((Some(work), error)),
            };
            let run = move |conn: &mut Conn| {
                let attempt = unit::read(conn, &mut work);
                (work, attempt)
            };
            let back = self.attempt(line, turns.end, run).await;
            let (given_back, attempt) = back.map_err(|error| (None, error))?;
            work = given_back;
            match attempt {
                Attempt::Done(result) | Attempt::Spoilt(result) => {
                    return result.map_err(|error| (None, error));
                }
                attempt => {
                    if let Err(error) = turns.next(attempt).await {
                        return Err((Some(work), error));
                    }
                }
            }
        }
    }

    /// Lends a connection to something that is neither a unit of work nor a reading, and gives it back if it went well.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        within: Duration,
        work: impl FnOnce(&mut Conn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let turns = Turns::new(within);
        let line = self.line(&turns).await?;
        let (result, _) = self
            .attempt(line, turns.end, |conn| {
                let result = work(conn);
                let attempt = match &result {
                    Ok(_) => Attempt::Done(Ok(())),
                    Err(error) => Attempt::Failed(error.clone()),
                };
                (result, attempt)
            })
            .await?;
        result
    }

    /// A connection of the pool; a server that cannot be reached is tried again for a while.
    async fn line(&self, turns: &Turns) -> Result<Object<Manager>, StoreError> {
        let give_up = turns.end.min(Instant::now() + REACH);
        loop {
            match self.pool.line(turns.left()).await {
                Err(error) if error.passes() && Instant::now() < give_up => sleep(AGAIN).await,
                answer => return Ok(answer?),
            }
        }
    }

    /// A connection beside the pool, for what takes long; a server that cannot be reached is tried again for a while.
    pub(crate) async fn own_line(&self) -> Result<Line, StoreError> {
        let give_up = Instant::now() + WRITE;
        loop {
            match self.pool.opener().line().await {
                Err(error) if error.passes() && Instant::now() < give_up => sleep(AGAIN).await,
                answer => return Ok(answer?),
            }
        }
    }

    /// Runs something on a connection in a thread of its own. When its time is over the connection is cut, so that a server
    /// that stands still gives an error.
    async fn attempt<W: Send + 'static>(
        &self,
        mut line: Object<Manager>,
        end: Instant,
        run: impl FnOnce(&mut Conn) -> (W, Attempt) + Send + 'static,
    ) -> Result<(W, Attempt), StoreError> {
        let (cutter, fate, server) = (line.cutter.clone(), line.fate.clone(), line.server);
        let mut job = tokio::task::spawn_blocking(move || {
            let ran = run(&mut line.conn);
            (line, ran)
        });
        let mut cut = None;
        let done = tokio::select! {
            done = &mut job => done,
            reason = self.watch(server, end) => {
                cut = Some(reason);
                cutter.cut();
                job.await
            }
        };
        let Ok((line, (work, attempt))) = done else {
            return Err(PostgresError::Panicked.into());
        };
        if attempt.leaves_the_connection_as_it_was() {
            Pool::give_back(line);
            return Ok((work, attempt));
        }
        self.pool.throw_away(line);
        Ok((
            work,
            match (attempt, cut.or_else(|| fate.get().map(PostgresError::Lost))) {
                (Attempt::Failed(_), Some(reason)) => Attempt::Failed(reason.into()),
                (attempt, _) => attempt,
            },
        ))
    }

    /// Comes back when the connection should be cut: the time is over, or the server shows no sign of life.
    async fn watch(&self, server: usize, end: Instant) -> PostgresError {
        let begun = Instant::now();
        while Instant::now() + PULSE < end {
            sleep(PULSE).await;
            if !self.pool.opener().lives(server).await {
                self.pool.forsake(server);
                return PostgresError::Silent(begun.elapsed().as_secs());
            }
        }
        sleep_until(end).await;
        PostgresError::Silent(begun.elapsed().as_secs())
    }
}

/// How often a unit was tried, and until when it may be.
struct Turns {
    end: Instant,
    collisions: u32,
    clashes: u32,
    stumbles: u32,
    failures: u32,
    /// Whether it had better take its turn alone.
    crowded: bool,
    chance: RandomState,
}

impl Turns {
    fn new(within: Duration) -> Self {
        Self {
            end: Instant::now() + within,
            collisions: 0,
            clashes: 0,
            stumbles: 0,
            failures: 0,
            crowded: false,
            chance: RandomState::new(),
        }
    }

    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Waits as long as is right after this attempt, or says why there is no further one.
    async fn next(&mut self, attempt: Attempt) -> Result<(), StoreError> {
        match attempt {
            Attempt::Done(result) | Attempt::Spoilt(result) => result,
            Attempt::Collided(error) => self.collided(error).await,
            Attempt::Entangled(error) => {
                self.crowded = true;
                self.collided(error).await
            }
            Attempt::Clashed(error) => {
                self.clashes += 1;
                if self.clashes >= CLASHES {
                    return Err(error);
                }
                self.collided(error).await
            }
            Attempt::Stumbled(error) => {
                self.stumbles += 1;
                self.crowded = true;
                self.failed(self.stumbles, error).await
            }
            Attempt::Failed(error) => {
                self.failures += 1;
                self.failed(self.failures, error).await
            }
        }
    }

    /// Others were faster: waits a little, by chance, so that not all come back at once.
    async fn collided(&mut self, error: StoreError) -> Result<(), StoreError> {
        self.collisions += 1;
        self.crowded |= self.collisions >= PATIENCE;
        let most = 1_u64 << self.collisions.min(7);
        let wait = Duration::from_micros(self.chance.hash_one(self.collisions) % (most * 1_000));
        self.rest(wait, error).await
    }

    /// The connection or the server failed for the so manieth time, before anything was stored.
    async fn failed(&self, times: u32, error: StoreError) -> Result<(), StoreError> {
        if times >= FAILURES {
            return Err(error);
        }
        let wait = Duration::from_millis(20 + self.chance.hash_one(times) % 80);
        self.rest(wait, error).await
    }

    async fn rest(&self, wait: Duration, error: StoreError) -> Result<(), StoreError> {
        if wait >= self.left() {
            return Err(error);
        }
        sleep(wait).await;
        Ok(())
    }
}
