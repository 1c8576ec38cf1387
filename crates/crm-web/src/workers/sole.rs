//! Jobs that one instance does for all. Whoever holds the job's lease works; the others look every second whether it is over.
//! Where one server is alone on its store, its lock file has proved that already and no lease is taken.
//!
//! A lease cannot stop an instance that was frozen in the middle of a batch: each job's unit of work is harmless when two run
//! it (`crm_testkit::contract::jobs`).

use std::sync::Arc;
use std::time::Duration;

use crm_domain::use_cases::Crm;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::JOB;
use crate::problem::causes;
use crate::server::Stop;
use crate::state::App;

#[cfg(test)]
mod tests;

/// How leases are kept.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// How long a job rests at most after the instance that did it was killed or frozen.
    lease: Duration,
    /// How often the lease is renewed.
    renew: Duration,
    /// How often the others look.
    look: Duration,
}

const PACE: Pace = Pace {
    lease: Duration::from_secs(9),
    renew: Duration::from_secs(3),
    look: Duration::from_secs(1),
};

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
            crm: app.crm.clone(),
            stop: app.stop.clone(),
            pace: PACE,
        };
        Box::pin(async move {
            if lease.crm.has_several_instances() {
                lease.work(|| worker(app.clone())).await;
            } else {
                worker(app).await;
            }
        })
    }
}

/// The lease of a job, held or wanted.
#[derive(Clone)]
struct Lease {
    job: &'static str,
    owner: Arc<str>,
    crm: Crm,
    stop: Stop,
    pace: Pace,
}

impl Lease {
    async fn work<F: Future<Output = ()>>(&self, worker: impl Fn() -> F) {
        let (job, mut well) = (self.job, true);
        while !self.stop.is_said() {
            let since = Instant::now();
            match self.take().await {
                Some(true) => {
                    well = true;
                    tracing::debug!("this instance is the {job} now");
                    self.hold(since, worker()).await;
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
                () = tokio::time::sleep(self.pace.look) => {}
                () = self.stop.said() => {}
            }
        }
    }

    /// Works until the server stops or the lease is lost; what is left undone then is undone like at a crash. The lease is
    /// renewed by a task of its own, so that a worker which keeps its thread busy does not lose it.
    async fn hold(&self, since: Instant, worker: impl Future<Output = ()>) {
        // Its tasks end with it, also when the worker panics.
        let mut renewing = JoinSet::new();
        renewing.spawn(self.clone().renew(since));
        // What a task spawns stays with its thread until it awaits something.
        tokio::task::yield_now().await;
        tokio::select! {
            () = worker => {}
            _ = renewing.join_next() => {
                tracing::warn!("this instance is the {} no more: its lease was lost", self.job);
            }
        }
        renewing.shutdown().await;
    }

    /// Renews the lease; ends when another has it, or when it would be over because the database does not answer.
    async fn renew(self, mut since: Instant) {
        let Pace { lease, renew, .. } = self.pace;
        loop {
            tokio::time::sleep(renew).await;
            let asked = Instant::now();
            match self.take().await {
                Some(true) => since = asked,
                Some(false) => return,
                None if since.elapsed() + renew >= lease => return,
                None => {}
            }
        }
    }

    /// Whether the lease is ours now; `None` if the database does not say.
    async fn take(&self) -> Option<bool> {
        let lasts = time::Duration::try_from(self.pace.lease).unwrap_or(time::Duration::ZERO);
        let taken = self.crm.take_job(&JOB, self.job, &self.owner, lasts);
        match timeout(self.pace.renew, taken).await.ok()? {
            Ok(taken) => Some(taken),
            Err(error) => {
                tracing::debug!("the lease of the {} cannot be had: {}", self.job, causes(&error));
                None
            }
        }
    }

    /// Others go on at once. If that fails they go on when the lease is over.
    async fn leave(&self) {
        let left = self.crm.leave_job(&JOB, self.job, &self.owner);
        if !matches!(timeout(self.pace.renew, left).await, Ok(Ok(()))) {
            tracing::debug!("the lease of the {} could not be given back", self.job);
        }
    }
}
