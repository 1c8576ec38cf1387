//! The shelf of data keys: read on a connection of its own, so that it answers inside a unit of work too, also when all
//! connections of the pool are in use.

use std::sync::Arc;
use std::time::Duration;

use crm_diesel::postgres::{Conn, Uow, has_table};
use crm_domain::data_keys::{DataKey, DataKeyQueries as _};
use crm_domain::ports::store::StoreError;
use crm_domain::ports::vault::KeyShelf;
use tokio::sync::Mutex;

use crate::PostgresStore;
use crate::connection::Line;
use crate::error::PostgresError;
use crate::opener::Opener;

/// How long a look may take.
const LOOK: Duration = Duration::from_secs(5);

/// The connection, opened when first needed.
#[derive(Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<Option<Line>>>);

impl Shelf {
    /// Runs a look on the connection; one that was lost meanwhile is replaced once.
    async fn look<T: Send + 'static>(
        &self,
        opener: &Opener,
        look: impl Fn(&mut Conn) -> Result<T, StoreError> + Clone + Send + 'static,
    ) -> Result<T, StoreError> {
        let mut kept = self.0.lock().await;
        if let Some(line) = kept.take()
            && !line.is_dead()
        {
            let (line, found) = on(line, look.clone()).await?;
            if found.is_ok() {
                *kept = Some(line);
                return found;
            }
        }
        let (line, found) = on(opener.line().await?, look).await?;
        if found.is_ok() {
            *kept = Some(line);
        }
        found
    }
}

async fn on<T: Send + 'static>(
    mut line: Line,
    look: impl Fn(&mut Conn) -> Result<T, StoreError> + Send + 'static,
) -> Result<(Line, Result<T, StoreError>), StoreError> {
    let cutter = line.cutter.clone();
    let mut job = tokio::task::spawn_blocking(move || {
        let found = look(&mut line.conn);
        (line, found)
    });
    let done = tokio::select! {
        done = &mut job => done,
        () = tokio::time::sleep(LOOK) => {
            cutter.cut();
            job.await
        }
    };
    done.map_err(|_| PostgresError::Panicked.into())
}

impl PostgresStore {
    fn look<T: Send + 'static>(
        &self,
        look: impl Fn(&mut Conn) -> Result<T, StoreError> + Clone + Send + 'static,
    ) -> Result<T, StoreError> {
        let (desk, kept) = (Arc::clone(&self.desk), self.shelf.clone());
        self.threads
            .wait(async move { kept.look(desk.pool().opener(), look).await })?
    }
}

impl KeyShelf for PostgresStore {
    fn data_keys(&self) -> Result<Vec<DataKey>, StoreError> {
        self.look(|conn| Uow::new(conn).data_keys())
    }

    fn named_secret(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let name = name.to_owned();
        self.look(move |conn| Uow::new(conn).named_secret(&name))
    }

    fn key_fingerprint(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.look(|conn| {
            if has_table(conn, "key_fingerprint")? {
                Uow::new(conn).key_fingerprint()
            } else {
                Ok(None)
            }
        })
    }
}
