//! Readings: a pool of connections that cannot write, used from threads where waiting harms nobody.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crm_diesel::sqlite::{Conn, Uow};
use crm_domain::ports::store::{ReadWork, StoreError};
use diesel::connection::SimpleConnection;
use diesel::r2d2::{self, ConnectionManager, CustomizeConnection, Pool};
use tokio::sync::Semaphore;

use crate::connection::{Opener, set_reading};
use crate::error::SqliteError;

#[derive(Debug)]
struct ReadOnly;

impl CustomizeConnection<Conn, r2d2::Error> for ReadOnly {
    fn on_acquire(&self, conn: &mut Conn) -> Result<(), r2d2::Error> {
        set_reading(conn).map_err(r2d2::Error::QueryError)
    }
}

/// The pool. As many readings run at once as it has connections; others wait without holding a thread.
pub(crate) struct Readers {
    pool: Pool<ConnectionManager<Conn>>,
    places: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn new(opener: &Opener, size: u32) -> Result<Self, StoreError> {
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .idle_timeout(None)
            .max_lifetime(None)
            .test_on_check_out(false)
            .connection_timeout(Duration::from_secs(5))
            .connection_customizer(Box::new(ReadOnly))
            .build(ConnectionManager::new(opener.url()))
            .map_err(|error| opener.failed(&error))?;
        let places = usize::try_from(size).unwrap_or(1);
        Ok(Self {
            pool,
            places: Arc::new(Semaphore::new(places)),
        })
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

    /// Lends a reading connection.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let places = Arc::clone(&self.places);
        let place = places.acquire_owned().await.map_err(|_| SqliteError::Closed)?;
        let pool = self.pool.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let mut conn = pool.get().map_err(StoreError::unavailable)?;
            let result = work(&mut conn);
            drop(conn);
            drop(place);
            result
        });
        reading.await.unwrap_or(Err(SqliteError::Panicked.into()))
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
