#![doc = include_str!("../README.md")]

mod address;
mod admin;
mod bell;
mod blobs;
mod bulk;
mod connection;
mod desk;
mod error;
mod hold;
mod migrations;
mod opener;
mod pool;
mod rehearsal;
mod replica;
mod runtime;
mod scrub;
mod settle;
mod shelf;
mod tls;
mod unit;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use crm_domain::instant::Instant;
use crm_domain::ports::store::{OperationKey, PoolState, ReadWork, Store, StoreError, Work};
use diesel::connection::SimpleConnection;
use tokio_postgres::config::TargetSessionAttrs;

use address::Address;
use desk::Desk;
use pool::Pool;
use replica::Replica;
use runtime::Threads;

pub use bell::PgBell;
pub use blobs::TableBlobs;
pub use connection::PlainClient;
pub use error::PostgresError;
pub use hold::Hold;
pub use migrations::unapplied as unapplied_migrations;

/// How long a look at the database may take that answers whether it is there.
const LOOK: Duration = Duration::from_secs(3);

/// Where the database is and how it is used.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:port,host:port/database?sslmode=…&sslrootcert=…`. Of several hosts the one that can be
    /// written is used.
    pub url: String,
    /// The same for a server whose answers may be a little old.
    pub replica: Option<String>,
    /// How many connections there are at most, at least 2.
    pub connections: usize,
    /// How the program is called in PostgreSQL's lists, such as `crm-web`.
    pub application: String,
}

/// Addresses hold passwords.
impl fmt::Debug for PostgresOptions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PostgresOptions")
            .field("connections", &self.connections)
            .field("application", &self.application)
            .finish_non_exhaustive()
    }
}

/// A database on a server.
pub struct PostgresStore {
    threads: Threads,
    desk: Arc<Desk>,
    replica: Option<Arc<Replica>>,
    shelf: shelf::Shelf,
}

impl PostgresStore {
    /// Connects once, so that a wrong address or password is told at once; applies no migrations. It blocks, and may be called
    /// from anywhere: the connections live on threads of the store's own. A copy that is not finished is
    /// [`PostgresError::Unfinished`].
    pub fn open(options: PostgresOptions) -> Result<Self, StoreError> {
        let store = Self::open_for_copy(options)?;
        let desk = Arc::clone(&store.desk);
        store
            .threads
            .wait(async move { desk.with(LOOK, bulk::refuse_unfinished).await })??;
        Ok(store)
    }

    /// As [`PostgresStore::open`], but only to fill an empty database or to go on with an unfinished copy.
    pub fn open_for_copy(options: PostgresOptions) -> Result<Self, StoreError> {
        let PostgresOptions {
            url,
            replica,
            connections,
            application,
        } = options;
        let most = connections.max(2);
        let address = Address::parse(&url, &application, TargetSessionAttrs::ReadWrite)?;
        let replica = replica
            .map(|url| Address::parse(&url, &application, TargetSessionAttrs::Any))
            .transpose()?;
        let desk = Arc::new(Desk::new(Pool::new(address, most, false)?));
        let replica = replica
            .map(|address| Pool::new(address, most, true))
            .transpose()?
            .map(|pool| Arc::new(Replica::new(Desk::new(pool))));
        let store = Self {
            threads: Threads::start()?,
            desk,
            replica,
            shelf: shelf::Shelf::default(),
        };
        let desk = Arc::clone(&store.desk);
        store
            .threads
            .wait(async move { desk.pool().line(LOOK).await.map(Pool::give_back) })??;
        Ok(store)
    }

    /// How the connections are used now; those to the replica are not counted.
    pub fn pool_state(&self) -> PoolState {
        self.desk.pool().state()
    }

    /// A connection beside the pool, for listening. What it does is not watched: whoever uses it bounds its own waiting.
    pub async fn plain_client(&self) -> Result<PlainClient, StoreError> {
        let desk = Arc::clone(&self.desk);
        let opened = self
            .threads
            .run(async move { desk.pool().opener().plain().await });
        Ok(opened.await??)
    }
}

#[async_trait]
impl Store for PostgresStore {
    /// Runs to its end also when the caller goes away.
    async fn run_write(&self, work: Work) -> Result<(), StoreError> {
        let ran = self.threads.run(Arc::clone(&self.desk).write(work)).await;
        ran.unwrap_or(Err(StoreError::Uncertain))
    }

    async fn run_read(&self, work: ReadWork) -> Result<(), StoreError> {
        self.threads.run(Arc::clone(&self.desk).read(work)).await?
    }

    async fn settle(&self, key: OperationKey, at: Instant) -> Result<bool, StoreError> {
        self.threads
            .run(settle::settle(Arc::clone(&self.desk), key, at))
            .await?
    }

    async fn run_stale(&self, work: ReadWork) -> Result<(), StoreError> {
        let (desk, replica) = (Arc::clone(&self.desk), self.replica.clone());
        let reading = async move {
            let Some(replica) = replica else {
                return desk.read(work).await;
            };
            match replica.read(work).await {
                Ok(()) => Ok(()),
                Err((Some(work), _)) => desk.read(work).await,
                Err((None, error)) => Err(error),
            }
        };
        self.threads.run(reading).await?
    }

    /// Asks for what only a server gives that can be written: the number of a transaction.
    async fn ping(&self) -> Result<(), StoreError> {
        self.with(|conn| {
            conn.batch_execute("BEGIN; SELECT pg_current_xact_id(); ROLLBACK")
                .map_err(StoreError::unavailable)
        })
        .await
    }

    async fn migrations_pending(&self) -> Result<usize, StoreError> {
        self.with(|conn| migrations::plan()?.pending(conn)).await
    }

    fn pool(&self) -> Option<PoolState> {
        Some(self.pool_state())
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        self.apart(scrub::scrub).await
    }
}
