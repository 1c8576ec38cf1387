//! The pool: connections that rest, each looked at before it is lent again.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use crm_domain::ports::store::PoolState;
use deadpool::managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult, Timeouts};
use diesel::dsl::sql;
use diesel::sql_types::Bool;
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};

use crate::address::Address;
use crate::connection::Line;
use crate::error::PostgresError;
use crate::opener::Opener;

/// How long a connection is waited for when all are in use.
const WAIT: Duration = Duration::from_secs(5);
/// A connection that rested this long is asked whether it is there.
const DOZE: Duration = Duration::from_secs(2);
/// How long it has to answer.
const PROOF: Duration = Duration::from_secs(1);

/// Makes and proves connections.
pub(crate) struct Manager {
    opener: Opener,
    /// Whether a server that cannot be written is as good.
    standby_will_do: bool,
    /// When something last went wrong with a connection: those that rest since before have to prove themselves.
    doubted: Mutex<Option<Instant>>,
}

impl Manager {
    fn doubted_since(&self, rested: Instant) -> bool {
        let doubted = *self.doubted.lock().unwrap_or_else(PoisonError::into_inner);
        doubted.is_some_and(|doubted| doubted >= rested)
    }
}

impl managed::Manager for Manager {
    type Type = Line;
    type Error = PostgresError;

    async fn create(&self) -> Result<Line, PostgresError> {
        self.opener.line().await
    }

    async fn recycle(&self, line: &mut Line, _metrics: &Metrics) -> RecycleResult<PostgresError> {
        let lost = || RecycleError::message("the connection was lost");
        if line.is_dead() {
            return Err(lost());
        }
        if line.rested.elapsed() < DOZE && !self.doubted_since(line.rested) {
            return Ok(());
        }
        let conn: &mut AsyncPgConnection = &mut line.conn;
        let standby = diesel::select(sql::<Bool>("pg_is_in_recovery()")).get_result::<bool>(conn);
        let proved = match tokio::time::timeout(PROOF, standby).await {
            Ok(Ok(standby)) => !standby || self.standby_will_do,
            _ => false,
        };
        if proved {
            Ok(())
        } else {
            line.cutter.cut();
            Err(lost())
        }
    }
}

/// Connections to one address.
pub(crate) struct Pool {
    inner: managed::Pool<Manager>,
}

impl Pool {
    pub(crate) fn new(address: Address, most: usize, standby_will_do: bool) -> Result<Self, PostgresError> {
        let manager = Manager {
            opener: Opener::new(address)?,
            standby_will_do,
            doubted: Mutex::new(None),
        };
        let inner = managed::Pool::builder(manager)
            .max_size(most)
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|error| PostgresError::Threads(error.to_string()))?;
        Ok(Self { inner })
    }

    pub(crate) fn opener(&self) -> &Opener {
        &self.inner.manager().opener
    }

    /// Lends a connection that is proved; waits for one at most `patience`, or 5 seconds.
    pub(crate) async fn line(&self, patience: Duration) -> Result<Object<Manager>, PostgresError> {
        let wait = WAIT.min(patience);
        let timeouts = Timeouts {
            wait: Some(wait),
            create: None,
            recycle: None,
        };
        self.inner
            .timeout_get(&timeouts)
            .await
            .map_err(|error| match error {
                PoolError::Backend(error) => error,
                PoolError::Timeout(_) => PostgresError::Full {
                    connections: self.inner.status().max_size,
                    seconds: wait.as_secs(),
                },
                _ => PostgresError::Closed,
            })
    }

    /// Gives a connection back that is as it was.
    pub(crate) fn give_back(mut line: Object<Manager>) {
        line.rested = Instant::now();
        drop(line);
    }

    /// Throws a connection away; those at rest have to prove themselves before they are lent.
    pub(crate) fn throw_away(&self, line: Object<Manager>) {
        let manager = self.inner.manager();
        *manager.doubted.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Object::take(line).cutter.cut();
        self.inner.retain(|line, _| !line.is_dead());
    }

    /// Throws all connections at rest to this server away: it stands still.
    pub(crate) fn forsake(&self, server: usize) {
        let forsaken = self.inner.retain(|line, _| line.server != server);
        for line in forsaken.removed {
            line.cutter.cut();
        }
    }

    pub(crate) fn state(&self) -> PoolState {
        let status = self.inner.status();
        PoolState {
            in_use: status.size.saturating_sub(status.available),
            idle: status.available,
            most: status.max_size,
            waiting: status.waiting,
        }
    }
}
