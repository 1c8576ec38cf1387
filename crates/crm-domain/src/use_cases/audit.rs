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
/// How many are held while they cannot be written; beyond, the newest are lost.
const HELD: usize = 10_000;

/// Who acts, when and from where: read once, before a unit of work begins.
#[derive(Clone)]
pub(super) struct Trace {
    at: Instant,
    by: By,
    address: Option<String>,
    request_id: Option<String>,
    secrets: Arc<dyn Secrets>,
}

impl Trace {
    /// The same for whom the unit of work has found out to act.
    pub(super) fn of(&self, by: By) -> Self {
        Self { by, ..self.clone() }
    }

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
            request_id: self.request_id.clone(),
            digest: digest(|bytes| self.secrets.hash(bytes), &salt, &what.changes),
            what: what.clone(),
            salt,
        }
    }
}

/// Refusals that are not written yet, and how much each source has had written lately.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    sources: Mutex<HashMap<Source, (Instant, u32)>>,
    held: Mutex<Vec<NewEntry>>,
}

/// An address, and who asked from there.
type Source = (Option<String>, String);

impl Refusals {
    /// Whether one more of this source is written.
    fn take(&self, source: Source, now: Instant) -> bool {
        let mut sources = lock(&self.sources);
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

/// Whoever panicked left whole entries.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
            request_id: self.ports.caller.request_id(),
            secrets: Arc::clone(&self.ports.secrets),
        }
    }

    /// Runs a unit of work that has no key of its own, and writes what it did into the audit log: an uncertain outcome is
    /// looked up under a random key.
    pub(super) async fn act<T, F>(&self, actor: &Actor, action: Action, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnMut(&mut dyn UnitOfWork, Instant) -> Result<Did<T>, Error> + Send + 'static,
    {
        self.may(actor, action)?;
        self.act_once(self.trace(actor), work).await
    }

    /// Writes what was done outside the store.
    pub(super) async fn log(&self, actor: &Actor, action: Action, deed: Deed) -> Result<(), Error> {
        self.act(actor, action, move |_, _| Ok(deed.clone().gives(())))
            .await
    }

    /// [`Crm::act`] for who may do it by more than the table of actions: the caller has decided that.
    pub(super) async fn act_once<T, F>(&self, trace: Trace, mut work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnMut(&mut dyn UnitOfWork, Instant) -> Result<Did<T>, Error> + Send + 'static,
    {
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

    /// Whether the actor may do this. A refusal goes into the audit log, in a unit of work of its own
    /// ([`Crm::write_refusals`]), at most 10 a minute for one actor at one address.
    pub fn may(&self, actor: &Actor, action: Action) -> Result<(), Denied> {
        actor.may(action).map_err(|denied| self.refused(actor, denied.0))
    }

    /// Notes that this was refused.
    pub(super) fn refused(&self, actor: &Actor, action: Action) -> Denied {
        let deed = Deed::of(Act::Refused).value("action", None, Some(format!("{action:?}")));
        self.hold_failure(By::from(actor), &deed);
        Denied(action)
    }

    /// Notes what failed, which leaves nothing in a unit of work, to be written by [`Crm::write_refusals`].
    fn hold_failure(&self, by: By, deed: &Deed) {
        let trace = self.trace_by(by);
        let who = trace.by.member_id.map_or(0, crate::id::Id::get);
        let about = deed.record.map_or(0, |record| record.id);
        let source = format!("{} {who} {} {about}", trace.by.kind, trace.by.name);
        if self.refusals.take((trace.address.clone(), source), trace.at) {
            let mut held = lock(&self.refusals.held);
            if held.len() < HELD {
                held.push(trace.entry(deed));
            }
        }
    }

    /// [`Crm::hold_failure`], written at once.
    pub(super) async fn log_failure(&self, by: By, deed: Deed) -> Result<(), Error> {
        self.hold_failure(by, &deed);
        self.write_refusals().await.map(|_| ())
    }

    /// Writes the refusals that are held; says how many.
    pub async fn write_refusals(&self) -> Result<usize, Error> {
        let held = std::mem::take(&mut *lock(&self.refusals.held));
        if held.is_empty() {
            return Ok(0);
        }
        let (count, entries) = (held.len(), held.clone());
        let written = self
            .ports
            .store
            .write(move |uow| Ok::<_, Error>(uow.edit_audit().add_audit(&entries)?))
            .await;
        if let Err(error) = written {
            lock(&self.refusals.held).extend(held);
            return Err(error);
        }
        Ok(count)
    }
}
