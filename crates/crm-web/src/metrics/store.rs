//! The store with its times taken: from outside, so with the wait for a turn or a connection.

use std::sync::Arc;

use async_trait::async_trait;
use crm_domain::instant::Instant as Stamp;
use crm_domain::ports::store::{OperationKey, PoolState, ReadWork, Store, StoreError, Work};
use metrics::Histogram;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::family::Family;
use super::names;
use super::registry::Registry;

/// The times of units of work.
pub(super) struct Times {
    read: Histogram,
    write: Histogram,
    ping: Histogram,
    errors: Family<2>,
}

impl Times {
    /// None taken yet.
    pub(super) fn new(registry: &Arc<Registry>) -> Self {
        let of = |kind| registry.histogram(names::UNITS, &[("kind", kind)]);
        let errors = Family::new(registry, names::DATABASE_ERRORS, ["kind", "code"]);
        for kind in ["read", "write", "ping", "settle"] {
            errors.begin([kind, "store_unavailable"]);
        }
        errors.begin(["write", "store_uncertain"]);
        Self {
            read: of("read"),
            write: of("write"),
            ping: of("ping"),
            errors,
        }
    }
}

/// Another store, timed.
pub(super) struct Timed {
    inner: Arc<dyn Store>,
    times: Arc<Times>,
}

impl Timed {
    pub(super) fn new(inner: Arc<dyn Store>, times: Arc<Times>) -> Self {
        Self { inner, times }
    }

    async fn time<T>(
        &self,
        kind: &'static str,
        histogram: &Histogram,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let span = tracing::info_span!(target: "crm_web::trace", "database", kind);
        let begun = Instant::now();
        let outcome = if span.is_disabled() {
            work.await
        } else {
            work.instrument(span).await
        };
        histogram.record(begun.elapsed().as_secs_f64());
        if let Err(error) = &outcome {
            self.times.errors.count([kind, error.code()]);
        }
        outcome
    }
}

#[async_trait]
impl Store for Timed {
    async fn run_write(&self, work: Work) -> Result<(), StoreError> {
        self.time("write", &self.times.write, self.inner.run_write(work))
            .await
    }

    async fn run_read(&self, work: ReadWork) -> Result<(), StoreError> {
        self.time("read", &self.times.read, self.inner.run_read(work))
            .await
    }

    async fn run_stale(&self, work: ReadWork) -> Result<(), StoreError> {
        self.time("read", &self.times.read, self.inner.run_stale(work))
            .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.time("ping", &self.times.ping, self.inner.ping()).await
    }

    async fn migrations_pending(&self) -> Result<usize, StoreError> {
        self.inner.migrations_pending().await
    }

    async fn settle(&self, key: OperationKey, at: Stamp) -> Result<bool, StoreError> {
        self.time("settle", &self.times.write, self.inner.settle(key, at))
            .await
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        self.inner.scrub().await
    }

    fn pool(&self) -> Option<PoolState> {
        self.inner.pool()
    }
}
