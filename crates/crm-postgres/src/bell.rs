//! The bell on PostgreSQL: one connection of its own that rings by `NOTIFY` and hears by `LISTEN`, outside units of work.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use crm_domain::ports::bell::Bell;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior};

use crate::{PlainClient, PostgresStore};

/// What is rung within this time is rung once: a notification for each commit would cost most of the throughput.
const GATHER: Duration = Duration::from_millis(50);
/// How often the connection has to show that it lives and that its server can be written.
const PROOF_EVERY: Duration = Duration::from_secs(5);
/// How long the server may take for a word.
const PATIENCE: Duration = Duration::from_secs(3);
/// The rests between tries while there is no connection.
const SHORTEST_REST: Duration = Duration::from_millis(100);
const LONGEST_REST: Duration = Duration::from_secs(5);
/// A notification is a transaction; nobody is to wait for a disk or a replica because of it.
const SET_UP: &str = "SET synchronous_commit = off; SET idle_session_timeout = 0; LISTEN crm";

/// Rings for the other instances on the same database, and hears them. Dropping it ends its connection.
pub struct PgBell {
    cord: Arc<Cord>,
    ringer: AbortHandle,
}

#[derive(Default)]
struct Cord {
    pulled: Notify,
    heard: Notify,
}

impl PgBell {
    /// Hangs the bell up; to be called within a runtime. The connection is made beside, and made again whenever it is lost.
    pub fn hang(store: Arc<PostgresStore>) -> Self {
        let cord = Arc::new(Cord::default());
        let ringer = tokio::spawn(attend(store, Arc::clone(&cord)));
        Self {
            cord,
            ringer: ringer.abort_handle(),
        }
    }
}

impl Drop for PgBell {
    fn drop(&mut self) {
        self.ringer.abort();
    }
}

#[async_trait]
impl Bell for PgBell {
    fn ring(&self) {
        self.cord.pulled.notify_one();
    }

    async fn heard(&self) {
        self.cord.heard.notified().await;
    }
}

/// Why a connection is given up.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Driver(#[from] tokio_postgres::Error),
    #[error("the server says nothing")]
    Silent(#[from] tokio::time::error::Elapsed),
    #[error("the connection was closed")]
    Closed,
    #[error("the server cannot be written any more")]
    ReadOnly,
}

/// Keeps a connection for as long as the bell hangs.
async fn attend(store: Arc<PostgresStore>, cord: Arc<Cord>) {
    let mut rest = SHORTEST_REST;
    let mut told = false;
    loop {
        let begun = Instant::now();
        let ended = match store.plain_client().await {
            Ok(line) => talk(line, &cord).await.to_string(),
            Err(error) => error.to_string(),
        };
        if begun.elapsed() > LONGEST_REST {
            (rest, told) = (SHORTEST_REST, false);
        }
        if !told {
            told = true;
            tracing::warn!("other instances are heard late for now, the connection for it was lost: {ended}");
        }
        tokio::time::sleep(rest).await;
        rest = (rest * 2).min(LONGEST_REST);
    }
}

/// Rings and hears on one connection until it is lost, and says why.
async fn talk(line: PlainClient, cord: &Cord) -> Lost {
    match talk_on(line, cord).await {
        Err(lost) => lost,
        Ok(never) => match never {},
    }
}

async fn talk_on(mut line: PlainClient, cord: &Cord) -> Result<std::convert::Infallible, Lost> {
    tokio::time::timeout(PATIENCE, line.client.batch_execute(SET_UP)).await??;
    let own = line.client.query_one("SELECT pg_backend_pid()", &[]);
    let own: i32 = tokio::time::timeout(PATIENCE, own).await??.get(0);
    // Somebody may have rung while nobody here could hear.
    cord.heard.notify_one();
    let mut proofs = tokio::time::interval(PROOF_EVERY);
    proofs.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut quiet_until = Instant::now();
    loop {
        tokio::select! {
            notification = line.notifications.recv() => {
                if notification.ok_or(Lost::Closed)?.process_id() != own {
                    cord.heard.notify_one();
                }
            }
            () = pulled(cord, quiet_until) => {
                tokio::time::timeout(PATIENCE, line.client.batch_execute("NOTIFY crm")).await??;
                quiet_until = Instant::now() + GATHER;
            }
            _ = proofs.tick() => {
                let asked = line.client.query_one("SELECT pg_is_in_recovery()", &[]);
                let read_only: bool = tokio::time::timeout(PATIENCE, asked).await??.get(0);
                if read_only {
                    return Err(Lost::ReadOnly);
                }
            }
        }
    }
}

/// Waits until the bell is to be rung, and not before `then`. Giving up waiting loses no ring.
async fn pulled(cord: &Cord, then: Instant) {
    tokio::time::sleep_until(then).await;
    cord.pulled.notified().await;
}
