//! Writing the audit log: every change says what it did, in the same unit of work; refusals and failed sign-ins have units of
//! their own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use time::Duration;

use super::Crm;
use crate::audit::{Act, By, Deed, Did, NewEntry, digest};
use crate::error::Error;
use crate::instant::Instant;
use crate::permissions::{Action, Actor, Denied};
use crate::ports::host::Secrets;
use crate::ports::store::{OperationKey, StoreError, StoreExt, UnitOfWork};

/// How many refusals and failed sign-ins of one source are written within [`WINDOW`].
const REFUSALS: u32 = 10;
/// See [`REFUSALS`].
const WINDOW: Duration = Duration::MINUTE;
/// How many sources are remembered; beyond, all begin anew.
const SOURCES: usize = 10_000;

/// Who acts, when and from where: read once, before a unit of work begins.
#[derive(Clone)]
pub(super) struct Trace {
    at: Instant,
    by: By,
    address: Option<String>,
    secrets: Arc<dyn Secrets>,
}

impl Trace {
    /// Writes entries into the unit of work.
    pub(super) fn write(&self, uow: &mut dyn UnitOfWork, entries: &[Deed]) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        let new: Vec<NewEntry> = entries.iter().map(|entry| self.entry(entry)).collect();
        uow.edit_audit().add_audit(&new)
    }

    fn entry(&self, what: &Deed) -> NewEntry {
        let mut salt = [0; 16];
        if !what.changes.is_empty() {
            self.secrets.fill(&mut salt);
        }
        NewEntry {
            at: self.at,
            by: self.by.clone(),
            address: self.address.clone(),
            digest: digest(|bytes| self.secrets.hash(bytes), &salt, &what.changes),
            what: what.clone(),
            salt,
        }
    }
}

/// How much each source of refusals has had written lately.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<HashMap<(Option<String>, String), (Instant, u32)>>);

impl Refusals {
    /// Whether one more of this source is written.
    fn take(&self, source: (Option<String>, String), now: Instant) -> bool {
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sources.len() >= SOURCES && !sources.contains_key(&source) {
            sources.retain(|_, (since, _)| now.since(*since) < WINDOW);
            if sources.len() >= SOURCES {
                sources.clear();
            }
        }
        let (since, count) = sources.entry(source).or_insert((now, 0));
        if now.since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        *count <= REFUSALS
    }
}

impl Crm {
    /// For whom and from where the following unit of work writes.
    pub(super) fn trace(&self, actor: &Actor) -> Trace {
        self.trace_by(By::from(actor))
    }

    /// [`Crm::trace`] for somebody who is known without acting in a session yet, or not at all.
    pub(super) fn trace_by(&self, by: By) -> Trace {
        Trace {
            at: self.now(),
            by,
            address: self.ports.caller.address(),
            secrets: Arc::clone(&self.ports.secrets),
        }
    }

    /// Runs a unit of work that has no key of its own, and writes what it did into the audit log: an uncertain outcome is
    /// looked up under a random key.
    pub(super) async fn act<T, F>(&self, actor: &Actor, action: Action, mut work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnMut(&mut dyn UnitOfWork, Instant) -> Result<Did<T>, Error> + Send + 'static,
    {
        actor.may(action)?;
        let trace = self.trace(actor);
        let at = trace.at;
        let mut key: OperationKey = [0; 16];
        self.ports.secrets.fill(&mut key);
        self.ports
            .store
            .write_noted(key, at, move |uow| {
                let did = work(uow, at)?;
                trace.write(uow, &did.entries)?;
                Ok(did.result)
            })
            .await
    }

    /// Runs a unit of work that may be repeated without harm, and writes what it did into the audit log: when its outcome is
    /// uncertain it runs once more, and finds then that there is nothing left to do.
    pub(super) async fn act_again<T, F>(&self, trace: Trace, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(&mut dyn UnitOfWork, Instant) -> Result<Did<T>, Error> + Clone + Send + 'static,
    {
        let at = trace.at;
        self.change_again(move |uow| {
            let did = work(uow, at)?;
            trace.write(uow, &did.entries)?;
            Ok(did.result)
        })
        .await
    }

    /// Writes that something was not allowed, at most [`REFUSALS`] times a minute for one actor at one address.
    pub async fn note_refusal(&self, actor: &Actor, denied: Denied) -> Result<(), Error> {
        let entry = Deed::of(Act::Refused).value("action", None, Some(format!("{:?}", denied.0)));
        self.log_failure(By::from(actor), entry).await
    }

    /// Writes what failed into a unit of work of its own: the failed one leaves nothing.
    pub(super) async fn log_failure(&self, by: By, entry: Deed) -> Result<(), Error> {
        let trace = self.trace_by(by);
        let of_whom = trace.by.member_id.map_or(0, crate::id::Id::get);
        let about = entry.record.map_or(0, |record| record.id);
        let source = format!("{} {of_whom} {} {about}", trace.by.kind, trace.by.name);
        if !self.refusals.take((trace.address.clone(), source), trace.at) {
            return Ok(());
        }
        self.ports
            .store
            .write(move |uow| Ok(trace.write(uow, std::slice::from_ref(&entry))?))
            .await
    }
}
