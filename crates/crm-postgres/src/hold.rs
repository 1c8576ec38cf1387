//! Holds: who works on a database, told by advisory locks. They end with the connection that took them, so a program that
//! dies holds nothing.

use std::sync::Arc;
use std::time::Duration;

use crm_domain::ports::store::StoreError;
use tokio::task::AbortHandle;
use tokio::time::MissedTickBehavior;
use tokio_postgres::types::ToSql;

use crate::PostgresStore;
use crate::connection::PlainClient;
use crate::desk::Desk;
use crate::error::PostgresError;
use crate::pool::Pool;

/// The name of our locks among those of other programs in the same database.
const CLASS: i32 = 0x0043_524D;
/// Any number of servers share it; a program that has the store for itself takes it alone.
const STORE: i32 = 1;
/// One rotation of keys at a time.
const ROTATION: i32 = 2;
/// One copy before an update, and the update, at a time. Taken before the lock of the migrations, never after it.
const UPGRADE: i32 = 3;

/// How often a lock is asked for before it counts as somebody else's.
const TRIES: u32 = 10;
/// The pause between.
const PAUSE: Duration = Duration::from_millis(50);
/// The pause before a lost connection's hold is taken again.
const AGAIN: Duration = Duration::from_secs(1);
/// How often a server's hold has to show that it lies on a server that lives and can be written.
const PROOF_EVERY: Duration = Duration::from_secs(5);
/// How long the server may take for a word.
const PATIENCE: Duration = Duration::from_secs(3);

/// A lock in the database, held until this is dropped.
pub struct Hold(#[expect(dead_code, reason = "held, never read")] Held);

enum Held {
    /// On this connection alone.
    Once(#[expect(dead_code, reason = "held, never read")] PlainClient),
    /// Taken again on a new connection whenever one is lost.
    Kept(#[expect(dead_code, reason = "held, never read")] Keeper),
}

struct Keeper(AbortHandle);

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How a lock is taken.
#[derive(Clone, Copy)]
enum Mode {
    Shared,
    Alone,
}

impl PostgresStore {
    /// Says that a server works on the database, also after its connection was lost; `None`: somebody has it alone.
    pub async fn hold_as_server(&self) -> Result<Option<Hold>, StoreError> {
        let desk = Arc::clone(&self.desk);
        self.threads.run(as_server(desk)).await?
    }

    /// Takes the database alone; `None`: a server or another program works on it.
    pub async fn hold_alone(&self) -> Result<Option<Hold>, StoreError> {
        self.hold_once(STORE).await
    }

    /// One program at a time copies the database and brings it up to date; `None`: another is at it.
    pub async fn hold_upgrade(&self) -> Result<Option<Hold>, StoreError> {
        self.hold_once(UPGRADE).await
    }

    /// One rotation of keys at a time; `None`: another is at work.
    pub async fn hold_rotation(&self) -> Result<Option<Hold>, StoreError> {
        self.hold_once(ROTATION).await
    }

    /// Whether anybody holds the database now.
    pub async fn is_held(&self) -> Result<bool, StoreError> {
        let desk = Arc::clone(&self.desk);
        self.threads
            .run(async move { is_held(desk.pool()).await })
            .await?
    }

    async fn hold_once(&self, lock: i32) -> Result<Option<Hold>, StoreError> {
        let desk = Arc::clone(&self.desk);
        let taken = self
            .threads
            .run(async move { take(desk.pool(), lock, Mode::Alone).await });
        Ok(taken.await??.map(|line| Hold(Held::Once(line))))
    }
}

async fn as_server(desk: Arc<Desk>) -> Result<Option<Hold>, StoreError> {
    let Some(first) = take(desk.pool(), STORE, Mode::Shared).await? else {
        return Ok(None);
    };
    let keeper = tokio::spawn(async move {
        let mut line = Some(first);
        loop {
            if let Some(held) = &mut line {
                lost_or_worthless(held).await;
            }
            // The old one first: it may lead to a server that stands still.
            drop(line);
            tokio::time::sleep(AGAIN).await;
            line = take(desk.pool(), STORE, Mode::Shared).await.ok().flatten();
        }
    });
    Ok(Some(Hold(Held::Kept(Keeper(keeper.abort_handle())))))
}

/// Comes back when a hold's connection is lost, or its server is silent or another one's standby: then a hold there tells
/// nobody anything.
async fn lost_or_worthless(held: &mut PlainClient) {
    let mut proofs = tokio::time::interval(PROOF_EVERY);
    proofs.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            notification = held.notifications.recv() => if notification.is_none() {
                return;
            },
            _ = proofs.tick() => {
                let asked = held.client.query_one("SELECT pg_is_in_recovery()", &[]);
                match tokio::time::timeout(PATIENCE, asked).await {
                    Ok(Ok(row)) if !row.get::<_, bool>(0) => {}
                    _ => return,
                }
            }
        }
    }
}

async fn is_held(pool: &Pool) -> Result<bool, StoreError> {
    let line = pool.opener().plain().await?;
    let holders = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 \
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
                   AND classid::bigint = $1::int AND objid::bigint = $2::int)";
    let named: [&(dyn ToSql + Sync); 2] = [&CLASS, &STORE];
    let asked = line.client.query_one(holders, &named);
    let row = tokio::time::timeout(PATIENCE, asked).await;
    let row = row.map_err(|_| PostgresError::Silent(PATIENCE.as_secs()))?;
    Ok(row.map_err(|error| lost(&error))?.get(0))
}

async fn take(pool: &Pool, lock: i32, mode: Mode) -> Result<Option<PlainClient>, StoreError> {
    let line = pool.opener().plain().await?;
    let statement = match mode {
        Mode::Shared => "SELECT pg_try_advisory_lock_shared($1, $2)",
        Mode::Alone => "SELECT pg_try_advisory_lock($1, $2)",
    };
    for _ in 0..TRIES {
        let named: [&(dyn ToSql + Sync); 2] = [&CLASS, &lock];
        let asked = line.client.query_one(statement, &named);
        let row = tokio::time::timeout(PATIENCE, asked).await;
        let row = row.map_err(|_| PostgresError::Silent(PATIENCE.as_secs()))?;
        if row.map_err(|error| lost(&error))?.get(0) {
            return Ok(Some(line));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(None)
}

fn lost(error: &tokio_postgres::Error) -> StoreError {
    PostgresError::Lost(error.to_string()).into()
}
