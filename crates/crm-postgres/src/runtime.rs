//! Threads of the store's own: its connections go on whatever the program's runtime does, and blocking callers can wait for
//! them from anywhere.

use std::future::Future;
use std::sync::mpsc;

use tokio::runtime::{Builder, Runtime};

use crate::error::PostgresError;

/// Two threads that move bytes, and one for each unit of work that runs.
pub(crate) struct Threads {
    runtime: Option<Runtime>,
}

impl Threads {
    pub(crate) fn start() -> Result<Self, PostgresError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("postgres")
            .enable_all()
            .build()
            .map_err(|error| PostgresError::Threads(error.to_string()))?;
        Ok(Self {
            runtime: Some(runtime),
        })
    }

    /// Runs this to its end, also when the caller goes away.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, PostgresError> {
        let runtime = self.runtime.as_ref().ok_or(PostgresError::Closed)?;
        let done = runtime.spawn(work).await;
        done.map_err(|_| PostgresError::Panicked)
    }

    /// The same for callers that block.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, PostgresError> {
        let runtime = self.runtime.as_ref().ok_or(PostgresError::Closed)?;
        let (done, outcome) = mpsc::sync_channel(1);
        runtime.spawn(async move {
            // The caller waits until then.
            drop(done.send(work.await));
        });
        outcome.recv().map_err(|_| PostgresError::Panicked)
    }
}

impl Drop for Threads {
    /// Does not wait: this may be a place where waiting is not allowed. PostgreSQL undoes what was not committed.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
