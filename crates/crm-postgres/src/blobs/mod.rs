//! The place of received files on PostgreSQL: a table of chunks, so that every server has them. What lies here is sealed; see
//! `docs/adr/0012-secrets-at-rest.md`.

mod draft;
mod reader;
mod rows;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crm_diesel::postgres::Conn;
use crm_domain::data_keys::{DataKey, DataKeyId};
use crm_domain::ports::blob_places::{BlobPlace, Coming, Glance, Lying, PlaceDraft};
use crm_domain::ports::blobs::{BlobError, BlobHash};
use crm_domain::ports::store::StoreError;
use tokio::time::Instant;

use crate::PostgresStore;
use draft::TableDraft;
use reader::TableReader;

/// How long a statement may take.
const STEP: Duration = Duration::from_secs(10);
/// How long a statement is tried again: a standby has taken over by then.
const PATIENCE: Duration = Duration::from_secs(20);
/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(250);
/// How often one server sweeps.
const SWEEP: Duration = Duration::from_hours(1);

/// Files in tables of the database, together at most a quota of bytes. Clones are the same place.
#[derive(Clone)]
pub struct TableBlobs(Arc<Inner>);

struct Inner {
    store: Arc<PostgresStore>,
    quota: u64,
    swept: Mutex<Option<Instant>>,
}

impl TableBlobs {
    /// The files of this database. Nothing is looked at before it is needed.
    pub fn new(store: Arc<PostgresStore>, quota: u64) -> Self {
        Self(Arc::new(Inner {
            store,
            quota,
            swept: Mutex::new(None),
        }))
    }

    fn quota(&self) -> u64 {
        self.0.quota
    }

    /// Runs something on a connection, again while the database is away. It must do no more when it runs again.
    fn run<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Conn) -> Result<T, StoreError> + Clone + Send + 'static,
    ) -> Result<T, BlobError> {
        let desk = Arc::clone(&self.0.store.desk);
        let patient = async move {
            let end = Instant::now() + PATIENCE;
            loop {
                match desk.with(STEP, work.clone()).await {
                    Err(StoreError::Unavailable(_)) if Instant::now() + PAUSE < end => {
                        tokio::time::sleep(PAUSE).await;
                    }
                    done => return done,
                }
            }
        };
        let done = self.0.store.threads.wait(patient);
        done.unwrap_or_else(|error| Err(error.into()))
            .map_err(BlobError::Away)
    }

    /// Runs something once, and does without it if it fails: it is made up for by sweeping.
    fn try_once(&self, work: impl FnOnce(&mut Conn) -> Result<(), StoreError> + Send + 'static) {
        let desk = Arc::clone(&self.0.store.desk);
        let done = self
            .0
            .store
            .threads
            .wait(async move { desk.with(STEP, work).await });
        if let Ok(Err(error)) | Err(error) = done.map_err(StoreError::from) {
            tracing::debug!(%error, "what is left of a file is swept later");
        }
    }

    fn sweep_sometimes(&self) -> Result<(), BlobError> {
        let now = Instant::now();
        {
            let mut swept = self.0.swept.lock().unwrap_or_else(PoisonError::into_inner);
            if swept.is_some_and(|last| now.duration_since(last) < SWEEP) {
                return Ok(());
            }
            *swept = Some(now);
        }
        self.tidy()
    }
}

impl BlobPlace for TableBlobs {
    fn draft(&self, coming: Coming, header: &[u8], key: DataKeyId) -> Result<Box<dyn PlaceDraft>, BlobError> {
        self.sweep_sometimes()?;
        let mut draft = TableDraft::new(self.clone(), header, key);
        if coming == Coming::New {
            draft.count(0)?;
        }
        Ok(Box::new(draft))
    }

    fn open(&self, hash: &BlobHash) -> Result<Option<Lying>, BlobError> {
        let hash = *hash;
        let body = self.run(move |conn| rows::find(conn, &hash))?;
        Ok(body.map(|body| Lying {
            header: body.header,
            rest: Box::new(TableReader::new(self.clone(), body.id)),
        }))
    }

    fn glance(&self, hash: &BlobHash) -> Result<Option<Glance>, BlobError> {
        let hash = *hash;
        self.run(move |conn| rows::glance(conn, &hash))
    }

    fn remove(&self, hash: &BlobHash) -> Result<bool, BlobError> {
        let hash = *hash;
        let removed = self.run(move |conn| rows::remove(conn, &hash))?;
        self.sweep_sometimes()?;
        Ok(removed)
    }

    fn list(
        &self,
        after: Option<BlobHash>,
        limit: usize,
    ) -> Result<Vec<(BlobHash, Option<DataKeyId>)>, BlobError> {
        self.run(move |conn| rows::list(conn, after, limit))
    }

    fn counts(&self) -> Result<BTreeMap<Option<DataKeyId>, u64>, BlobError> {
        Ok(self.run(rows::counts)?.into_iter().collect())
    }

    fn tidy(&self) -> Result<(), BlobError> {
        while self.run(rows::sweep)? {}
        Ok(())
    }

    /// The keys lie in the same database as the files, and are restored with them.
    fn keep_keys(&self, _keys: &[DataKey]) -> Result<(), BlobError> {
        Ok(())
    }
}
