//! The store in memory, for programs that embed the domain, and for tests: what it forgets at its end, the others keep.

mod access_tokens;
mod activities;
mod attachments;
mod audit;
mod backlog;
mod backups;
mod board;
mod companies;
mod connection;
mod conversations;
mod credentials;
mod customers;
mod data_keys;
mod dossiers;
mod drafts;
mod erasures;
mod events;
mod factors;
mod holdings;
mod idempotency;
mod imports;
mod leases;
mod members;
mod notes;
mod readings;
mod reads;
mod receipts;
mod retention;
mod send_budgets;
mod senders;
mod sends;
mod shared_counts;
mod state;
mod table;
mod teams;
mod trash;
mod unit;
mod waitings;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use self::state::State;
use self::unit::Unit;
use crate::ports::store::{ReadWork, Store, StoreError, Verdict, Work};

/// A store in memory. Units of work run one after the other on the caller's thread, readings beside them on the state
/// that was stored last. It can be told to fail, so that callers can be tested.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
    writing: Mutex<()>,
    write_faults: Mutex<VecDeque<Fault>>,
    read_faults: Mutex<VecDeque<StoreError>>,
    repeating: AtomicBool,
}

/// How a unit of work is to fail.
#[derive(Debug)]
enum Fault {
    /// It runs, is not stored, and this is answered.
    NotStored(StoreError),
    /// It runs, is stored, and this is answered all the same.
    Stored(StoreError),
    /// Its first call of a repository fails so.
    Inside(StoreError),
}

impl MemoryStore {
    /// A store with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next unit of work is not stored and answers this error. Further calls are for the units after it.
    pub fn fail_next(&self, error: StoreError) {
        lock(&self.write_faults).push_back(Fault::NotStored(error));
    }

    /// The next unit of work is stored (if it says so) and answers this error all the same: what `Uncertain` can mean.
    pub fn fail_next_though_stored(&self, error: StoreError) {
        lock(&self.write_faults).push_back(Fault::Stored(error));
    }

    /// In the next unit of work the first look-up or change fails so.
    pub fn fail_inside_next(&self, error: StoreError) {
        lock(&self.write_faults).push_back(Fault::Inside(error));
    }

    /// The next reading answers this error.
    pub fn fail_next_read(&self, error: StoreError) {
        lock(&self.read_faults).push_back(error);
    }

    /// From now on every unit of work runs twice and only the second run counts, as on a store whose group was given up.
    pub fn repeat_units(&self) {
        self.repeating.store(true, Ordering::Relaxed);
    }

    /// From now on every unit of work runs once again.
    pub fn run_units_once(&self) {
        self.repeating.store(false, Ordering::Relaxed);
    }

    /// The state that was stored last; copying it copies no rows.
    fn latest(&self) -> State {
        lock(&self.state).clone()
    }

    fn attempt(&self, work: &mut Work, fault: Option<StoreError>) -> Result<(Verdict, State), StoreError> {
        let mut unit = Unit::new(self.latest(), fault);
        let verdict = catch_unwind(AssertUnwindSafe(|| work(&mut unit)))
            .map_err(|_| StoreError::unavailable("the unit of work panicked"))?;
        match unit.into_result() {
            (_, Some(error)) if verdict == Verdict::Commit => Err(error),
            (state, _) => Ok((verdict, state)),
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn run_write(&self, mut work: Work) -> Result<(), StoreError> {
        let _turn = lock(&self.writing);
        let fault = lock(&self.write_faults).pop_front();
        let inside = match &fault {
            Some(Fault::Inside(error)) => Some(error.clone()),
            _ => None,
        };
        if self.repeating.load(Ordering::Relaxed) {
            let _given_up = self.attempt(&mut work, inside.clone());
        }
        let (verdict, state) = self.attempt(&mut work, inside)?;
        if let Some(Fault::NotStored(error)) = fault {
            return Err(error);
        }
        if verdict == Verdict::Commit {
            *lock(&self.state) = state;
        }
        match fault {
            Some(Fault::Stored(error)) => Err(error),
            _ => Ok(()),
        }
    }

    async fn run_read(&self, mut work: ReadWork) -> Result<(), StoreError> {
        if let Some(error) = lock(&self.read_faults).pop_front() {
            return Err(error);
        }
        let mut unit = Unit::new(self.latest(), None);
        catch_unwind(AssertUnwindSafe(|| work(&mut unit)))
            .map_err(|_| StoreError::unavailable("the reading panicked"))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn migrations_pending(&self) -> Result<usize, StoreError> {
        Ok(0)
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A unit that panicked changed its own copy only.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
