//! Jobs that one instance does for all. Whoever holds the job's lease works; the others look every second whether it is over.
//! Where one server is alone on its store, its lock file has proved that already and no lease is taken.
//!
//! A lease cannot stop an instance that was frozen in the middle of a batch: each job's unit of work is harmless when two run
//! it (`crm_testkit::contract::jobs`).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::JOB;
use crate::problem::causes;
use crate::state::App;

/// How long a job rests at most after the instance that did it was killed or frozen.
const LEASE: Duration = Duration::from_secs(9);
/// How often the lease is renewed.
const RENEW: Duration = Duration::from_secs(3);
/// How often the others look.
const LOOK: Duration = Duration::from_secs(1);

/// A worker that runs only while `owner`, this process, holds the lease of `job`.
pub(super) fn sole<F>(
    job: &'static str,
    owner: &Arc<str>,
    worker: fn(App) -> F,
) -> impl Fn(App) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + Send + 'static
where
    F: Future<Output = ()> + Send + 'static,
{
    let owner = Arc::clone(owner);
    move |app| {
        let lease = Lease {
            job,
            owner: Arc::clone(&owner),
            app,
        };
        Box::pin(async move {
            if lease.app.crm.has_several_instances() {
                lease.work(worker).await;
            } else {
                worker(lease.app).await;
            }
        })
    }
}

/// The lease of a job, held or wanted.
struct Lease {
    job: &'static str,
    owner: Arc<str>,
    app: App,
}

impl Lease {
    async fn work<F: Future<Output = ()>>(&self, worker: fn(App) -> F) {
        let (job, mut well) = (self.job, true);
        while !self.app.stop.is_said() {
            let since = Instant::now();
            match self.take().await {
                Some(true) => {
                    well = true;
                    tracing::debug!("this instance is the {job} now");
                    self.hold(since, worker).await;
                    self.leave().await;
                }
                Some(false) => well = true,
                None if well => {
                    well = false;
                    tracing::warn!("the {job} cannot tell whether another instance works, and waits");
                }
                None => {}
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.app.stop.said() => {}
            }
        }
    }

    /// Works until the server stops or the lease is lost; what is left undone then is undone like at a crash.
    async fn hold<F: Future<Output = ()>>(&self, since: Instant, worker: fn(App) -> F) {
        tokio::select! {
            () = worker(self.app.clone()) => {}
            () = self.renew(since) => {
                tracing::warn!("this instance is the {} no more: its lease was lost", self.job);
            }
        }
    }

    /// Renews the lease; ends when another has it, or when it would be over because the database does not answer.
    async fn renew(&self, mut since: Instant) {
        loop {
            tokio::time::sleep(RENEW).await;
            let asked = Instant::now();
            match self.take().await {
                Some(true) => since = asked,
                Some(false) => return,
                None if since.elapsed() + RENEW >= LEASE => return,
                None => {}
            }
        }
    }

    /// Whether the lease is ours now; `None` if the database does not say.
    async fn take(&self) -> Option<bool> {
        let lasts = time::Duration::try_from(LEASE).unwrap_or(time::Duration::ZERO);
        let taken = self.app.crm.take_job(&JOB, self.job, &self.owner, lasts);
        match timeout(RENEW, taken).await.ok()? {
            Ok(taken) => Some(taken),
            Err(error) => {
                tracing::debug!("the lease of the {} cannot be had: {}", self.job, causes(&error));
                None
            }
        }
    }

    /// Others go on at once. If that fails they go on when the lease is over.
    async fn leave(&self) {
        let left = self.app.crm.leave_job(&JOB, self.job, &self.owner);
        if !matches!(timeout(RENEW, left).await, Ok(Ok(()))) {
            tracing::debug!("the lease of the {} could not be given back", self.job);
        }
    }
}
