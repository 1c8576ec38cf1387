//! Wakes workers, and requests that wait for the outcome of a message.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crm_domain::backups::BackupId;
use crm_domain::permissions::Actor;
use crm_domain::ports::bell::{Bell, NoBell};
use crm_domain::sends::SendId;
use crm_domain::use_cases::Delivered;
use tokio::sync::{Notify, watch};

use super::backups::Asked;

type Waiting = HashMap<SendId, watch::Sender<Option<Delivered>>>;

/// The signals between requests and workers, of this instance and, by the bell, of the others on the same store. They only
/// wake: what counts is in the store.
#[derive(Clone)]
pub struct Signals(Arc<Inner>);

struct Inner {
    bell: Arc<dyn Bell>,
    heard: watch::Sender<()>,
    callbacks: Notify,
    spooled: Notify,
    arrived: AtomicUsize,
    messages: Notify,
    files: Notify,
    changes: Notify,
    house: Notify,
    backups: Mutex<Vec<Asked>>,
    backup: Notify,
    waiting: Mutex<Waiting>,
}

impl Default for Signals {
    /// Of an instance that is alone on its store.
    fn default() -> Self {
        Self::with(Arc::new(NoBell))
    }
}

impl Signals {
    /// Of an instance that rings this bell for the others.
    pub fn with(bell: Arc<dyn Bell>) -> Self {
        Self(Arc::new(Inner {
            bell,
            heard: watch::Sender::new(()),
            callbacks: Notify::new(),
            spooled: Notify::new(),
            arrived: AtomicUsize::new(0),
            messages: Notify::new(),
            files: Notify::new(),
            changes: Notify::new(),
            house: Notify::new(),
            backups: Mutex::default(),
            backup: Notify::new(),
            waiting: Mutex::default(),
        }))
    }

    /// Whether there can be no other instance.
    pub(super) fn are_alone(&self) -> bool {
        self.0.bell.is_alone()
    }

    /// Waits until another instance rang.
    pub(super) async fn rung(&self) {
        self.0.bell.heard().await;
    }

    /// Something was stored by another instance: everybody here looks whether it is for him.
    pub(super) fn wake_all(&self) {
        self.0.callbacks.notify_one();
        self.0.messages.notify_one();
        self.0.files.notify_one();
        self.0.changes.notify_one();
        self.0.heard.send_replace(());
    }

    /// Tells whoever waits for something that another instance may have done.
    pub(super) fn hearing(&self) -> watch::Receiver<()> {
        self.0.heard.subscribe()
    }

    /// A callback arrived; it waits for its answer until what this gives is dropped.
    pub fn callback_arrived(&self) -> Unanswered {
        self.0.arrived.fetch_add(1, Ordering::Relaxed);
        Unanswered(self.clone())
    }

    /// A callback was kept.
    pub fn callback_kept(&self) {
        self.0.callbacks.notify_one();
        self.0.bell.ring();
    }

    /// A callback went to the spool.
    pub fn callback_spooled(&self) {
        self.0.spooled.notify_one();
    }

    /// A message was queued.
    pub fn message_queued(&self) {
        self.changed();
        self.0.messages.notify_one();
    }

    /// Something was stored that open pages show.
    pub fn changed(&self) {
        self.0.changes.notify_one();
        self.0.bell.ring();
    }

    pub(crate) async fn changes(&self) {
        self.0.changes.notified().await;
    }

    /// Files may wait to be fetched.
    pub fn files_waiting(&self) {
        self.0.files.notify_one();
    }

    pub(super) async fn files(&self) {
        self.0.files.notified().await;
    }

    /// What is over its time is to be deleted now.
    pub fn house_wanted(&self) {
        self.0.house.notify_one();
    }

    pub(super) async fn house(&self) {
        self.0.house.notified().await;
    }

    /// A backup was begun and is to be taken here, for whoever asked.
    pub fn backup_wanted(&self, id: BackupId, by: Actor) {
        let mut asked = self.0.backups.lock().unwrap_or_else(PoisonError::into_inner);
        asked.push((id, by));
        self.0.backup.notify_one();
    }

    /// The next one that is to be taken; `None` when another took it meanwhile.
    pub(super) async fn backup(&self) -> Option<Asked> {
        self.0.backup.notified().await;
        self.0
            .backups
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    /// How many callbacks wait for their answer.
    pub(super) fn unanswered(&self) -> usize {
        self.0.arrived.load(Ordering::Relaxed)
    }

    pub(super) async fn callbacks(&self) {
        self.0.callbacks.notified().await;
    }

    pub(super) async fn spooled(&self) {
        self.0.spooled.notified().await;
    }

    pub(super) async fn messages(&self) {
        self.0.messages.notified().await;
    }

    /// To be asked for before the store is looked at, so that no outcome falls between.
    pub(super) fn outcome_of(&self, id: SendId) -> Expected {
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = waiting
            .entry(id)
            .or_insert_with(|| watch::Sender::new(None))
            .subscribe();
        Expected {
            id,
            outcome,
            signals: self.clone(),
        }
    }

    pub(super) fn settled(&self, delivered: &Delivered) {
        self.changed();
        let waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = waiting.get(&delivered.id) {
            sender.send_replace(Some(delivered.clone()));
        }
    }
}

/// A callback that waits for its answer.
pub struct Unanswered(Signals);

impl Drop for Unanswered {
    fn drop(&mut self) {
        self.0.0.arrived.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An outcome that somebody waits for; dropping it waits no longer.
pub(super) struct Expected {
    id: SendId,
    outcome: watch::Receiver<Option<Delivered>>,
    signals: Signals,
}

impl Expected {
    pub(super) async fn wait(&mut self) -> Option<Delivered> {
        self.outcome
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|outcome| outcome.clone())
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        let mut waiting = self
            .signals
            .0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if waiting
            .get(&self.id)
            .is_some_and(|sender| sender.receiver_count() <= 1)
        {
            waiting.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use crm_domain::id::Id;
    use crm_domain::ports::messenger::Heard;
    use crm_domain::sends::SendState;
    use crm_domain::use_cases::Delivered;

    use super::Signals;

    #[tokio::test]
    async fn everyone_who_waits_hears_and_nothing_is_left() {
        let signals = Signals::default();
        let id = Id::new(7);
        let (mut one, mut other) = (signals.outcome_of(id), signals.outcome_of(id));
        signals.settled(&Delivered {
            id,
            state: SendState::Sent,
            problem: None,
            next_try_at: None,
            departed: true,
            wait: None,
            heard: Heard::default(),
        });
        assert_eq!(
            one.wait().await.map(|outcome| outcome.state),
            Some(SendState::Sent)
        );
        drop(one);
        assert_eq!(
            other.wait().await.map(|outcome| outcome.state),
            Some(SendState::Sent)
        );
        drop(other);
        assert!(signals.0.waiting.lock().unwrap().is_empty());
    }
}
