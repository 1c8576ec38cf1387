//! Recording: kept callbacks become messages in conversations, many in one unit of work.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use super::Crm;
use super::events::{Touched, announce_recorded};
use super::understood::{LinkChange, Understood, placed};
use super::waitings::Talks;
use crate::activities::{Direction, NewActivity};
use crate::attachments::NewAttachment;
use crate::audit::{Act, Deed};
use crate::conversations::{ConversationId, ConversationKey, ConversationKind, LinkState};
use crate::customers::CustomerId;
use crate::error::Error;
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::callbacks::{InboundEvent, InterpretError};
use crate::ports::store::{StoreError, StoreExt, UnitOfWork};
use crate::receipts::{PendingReceipt, ReceiptId, ReceiptOutcome, ReceiptState};
use crate::values::LineUserId;
use crate::values::file_name::file_name;

/// After so many failures in a row the callbacks of a batch are looked at one by one.
const SETBACKS: u32 = 4;
/// How often one of them is tried then.
const TRIES: usize = 3;

/// How often recording failed in a row, the database being in the way; one for all clones of a [`Crm`].
#[derive(Debug, Default)]
pub(super) struct Setbacks(AtomicU32);

/// What became of a kept callback, for the log: ids and words of ours, nothing that a person said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedCallback {
    /// Which one.
    pub receipt: ReceiptId,
    /// What it says: a message's kind, `began`, `ended`, `room`, `other`, or `unreadable`.
    pub kind: &'static str,
    /// How far it got.
    pub state: ReceiptState,
    /// The customers to whose pages it was added.
    pub customers: Vec<CustomerId>,
    /// Whom it concerns, shortened.
    pub user: Option<String>,
    /// Why it was ignored or not understood.
    pub reason: Option<String>,
}

/// What one round of recording did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recorded {
    /// Each callback that was looked at.
    pub callbacks: Vec<RecordedCallback>,
    /// Whether more may be waiting.
    pub more: bool,
}

impl Crm {
    /// Takes up to `limit` pending callbacks, understands them and adds what they say to the conversations. A batch that
    /// fails is tried again one by one, so that one bad body holds up nobody; when the database is in the way, not before it
    /// failed several times and the database takes other things. Two recorders at once double nothing.
    pub async fn record_pending(&self, actor: &Actor, limit: usize) -> Result<Recorded, Error> {
        self.may(actor, Action::RecordCallbacks)?;
        let pending: Vec<PendingReceipt> = self
            .ports
            .store
            .read(move |unit| Ok::<_, Error>(unit.receipts().pending_receipts(limit)?))
            .await?;
        if pending.is_empty() {
            return Ok(Recorded::default());
        }
        let more = pending.len() == limit;
        let batch: Vec<Understood> = pending
            .into_iter()
            .map(|receipt| self.understand(receipt))
            .collect();
        let callbacks = match self.record(batch.clone()).await {
            Ok(callbacks) => callbacks,
            Err(Error::Stale) => {
                return Ok(Recorded {
                    callbacks: Vec::new(),
                    more: true,
                });
            }
            Err(error) if passing(&error) => {
                if !self.is_suspicious().await {
                    return Err(error);
                }
                self.record_singly(batch).await?
            }
            Err(_) => self.record_singly(batch).await?,
        };
        self.setbacks.0.store(0, Ordering::Relaxed);
        Ok(Recorded { callbacks, more })
    }

    /// Lets the recorder try again what could not be understood, and says how many: a later version may know more.
    pub async fn reinterpret_callbacks(&self, actor: &Actor) -> Result<usize, Error> {
        self.act(actor, Action::Diagnose, |uow, _| {
            let reopened = uow.edit_receipts().reopen_receipts()?;
            Ok(Deed::of(Act::CallbacksRechecked)
                .value("callbacks", None, Some(reopened.to_string()))
                .gives(reopened))
        })
        .await
    }

    fn understand(&self, receipt: PendingReceipt) -> Understood {
        let event = self.ports.callbacks.interpret(&receipt.body);
        Understood {
            id: receipt.id,
            bot: receipt.bot,
            received_at: receipt.received_at,
            event,
        }
    }

    async fn record(&self, batch: Vec<Understood>) -> Result<Vec<RecordedCallback>, Error> {
        let now = self.now();
        self.ports
            .store
            .write(move |uow| Batch::new(&placed(uow, &batch)?).write(uow, now))
            .await
    }

    /// A batch failed again though the database takes what is written: one of the batch may be to blame.
    async fn is_suspicious(&self) -> bool {
        let failed = self.setbacks.0.fetch_add(1, Ordering::Relaxed) + 1;
        failed >= SETBACKS && self.ready().await.is_ok()
    }

    async fn record_singly(&self, batch: Vec<Understood>) -> Result<Vec<RecordedCallback>, Error> {
        let mut callbacks = Vec::new();
        for mut single in batch {
            let problem = match self.record_patiently(&single).await {
                Ok(recorded) => {
                    callbacks.extend(recorded);
                    continue;
                }
                Err(Error::Stale) => continue,
                Err(error) if passing(&error) => {
                    let uncertain = matches!(error, Error::Store(StoreError::Uncertain));
                    if uncertain || !self.is_suspicious().await {
                        return Err(error);
                    }
                    InterpretError::Indigestible
                }
                Err(_) => InterpretError::Field("content"),
            };
            // What the store refuses stays kept, marked 未解釈.
            single.event = Err(problem);
            callbacks.extend(self.record(vec![single]).await?);
        }
        Ok(callbacks)
    }

    /// Records one; what may be in the way of one is tried several times.
    async fn record_patiently(&self, single: &Understood) -> Result<Vec<RecordedCallback>, Error> {
        let mut outcome = self.record(vec![single.clone()]).await;
        for _ in 1..TRIES {
            if !matches!(outcome, Err(Error::Store(StoreError::Unavailable(_)))) {
                break;
            }
            outcome = self.record(vec![single.clone()]).await;
        }
        outcome
    }
}

/// A word of ours for what it says, one of few.
fn kind_of(callback: &Understood) -> &'static str {
    match &callback.event {
        Ok(InboundEvent::Message(message)) => message.kind.code(),
        Ok(InboundEvent::Began { .. }) => "began",
        Ok(InboundEvent::Ended { .. }) => "ended",
        Ok(InboundEvent::Room(_)) => "room",
        Ok(InboundEvent::Other { .. }) => "other",
        Err(_) => "unreadable",
    }
}

/// Whether the fault is the database's and not the content's: nothing is to be marked, all is tried again later.
fn passing(error: &Error) -> bool {
    matches!(
        error,
        Error::Store(StoreError::Unavailable(_) | StoreError::Uncertain)
    )
}

/// One unit of work over many callbacks: each kind of look-up and insert happens once for all of them.
struct Batch<'a> {
    callbacks: &'a [Understood],
    customers: HashMap<&'a LineUserId, Vec<CustomerId>>,
    conversations: HashMap<ConversationKey, ConversationId>,
}

impl<'a> Batch<'a> {
    fn new(callbacks: &'a [Understood]) -> Self {
        Self {
            callbacks,
            customers: HashMap::new(),
            conversations: HashMap::new(),
        }
    }

    fn write(mut self, uow: &mut dyn UnitOfWork, now: Instant) -> Result<Vec<RecordedCallback>, Error> {
        self.look_up_customers(uow)?;
        self.open_conversations(uow, now)?;
        let late = self.hear(uow)?;
        let activities: Vec<NewActivity> = self
            .callbacks
            .iter()
            .zip(late)
            .flat_map(|(callback, late)| self.activities(callback, late))
            .collect();
        uow.edit_activities().add_activities(&activities)?;
        uow.edit_senders().note_senders(&self.strangers(), now)?;
        let files: Vec<NewAttachment> = self
            .callbacks
            .iter()
            .filter_map(|callback| self.attachment(callback))
            .collect();
        uow.edit_attachments().add_attachments(&files, now)?;
        self.change_links(uow)?;
        announce_recorded(uow, &self.touched(), now)?;
        let outcomes: Vec<ReceiptOutcome> = self
            .callbacks
            .iter()
            .map(|callback| self.outcome(callback))
            .collect();
        let settled = uow.edit_receipts().settle_receipts(&outcomes, now)?;
        if settled != outcomes.len() {
            // Another recorder was faster with some of them: give this round up.
            return Err(Error::Stale);
        }
        Ok(self
            .callbacks
            .iter()
            .zip(outcomes)
            .map(|(callback, outcome)| self.report(callback, outcome))
            .collect())
    }

    fn look_up_customers(&mut self, uow: &mut dyn UnitOfWork) -> Result<(), StoreError> {
        let mut users: Vec<LineUserId> = self
            .callbacks
            .iter()
            .filter_map(Understood::user)
            .cloned()
            .collect();
        users.sort();
        users.dedup();
        let mut carrying: HashMap<LineUserId, Vec<CustomerId>> = HashMap::new();
        for (user, customer) in uow.customers().customers_carrying(&users)? {
            carrying.entry(user).or_default().push(customer);
        }
        for user in self.callbacks.iter().filter_map(Understood::user) {
            self.customers
                .entry(user)
                .or_insert_with(|| carrying.remove(user).unwrap_or_default());
        }
        Ok(())
    }

    fn open_conversations(&mut self, uow: &mut dyn UnitOfWork, now: Instant) -> Result<(), StoreError> {
        let mut keys: Vec<ConversationKey> = Vec::new();
        let own = self
            .callbacks
            .iter()
            .filter_map(|callback| self.own_talk(callback));
        let places = self.callbacks.iter().filter_map(Understood::link_change);
        let named: Vec<ConversationKey> = places.map(|(key, _, _)| key).chain(own).collect();
        for key in named {
            if !self.conversations.contains_key(&key) {
                // The id comes below; the entry keeps the order of first appearance and each key once.
                self.conversations.insert(key.clone(), ConversationId::new(0));
                keys.push(key);
            }
        }
        let ids = uow.edit_conversations().open_conversations(&keys, now)?;
        self.conversations.extend(keys.into_iter().zip(ids));
        Ok(())
    }

    /// The own talk of a stranger who spoke in a room: by it the message is found once a customer carries the id.
    fn own_talk(&self, callback: &Understood) -> Option<ConversationKey> {
        let message = callback.message()?;
        message.room.as_ref()?;
        self.customers_of(callback).is_empty().then(|| ConversationKey {
            bot: callback.bot.clone(),
            address: message.user.clone(),
            kind: ConversationKind::Person,
        })
    }

    fn customers_of(&self, callback: &Understood) -> &[CustomerId] {
        callback
            .user()
            .and_then(|user| self.customers.get(user))
            .map_or(&[], Vec::as_slice)
    }

    fn conversation_of(&self, callback: &Understood) -> Option<ConversationId> {
        let (key, _, _) = callback.link_change()?;
        self.conversations.get(&key).copied()
    }

    /// Where the conversations stand after what was said; for each callback whether it came late.
    fn hear(&self, uow: &mut dyn UnitOfWork) -> Result<Vec<bool>, StoreError> {
        let ids: Vec<ConversationId> = self.conversations.values().copied().collect();
        let mut talks = Talks::load(uow, &ids)?;
        let mut late = Vec::with_capacity(self.callbacks.len());
        for callback in self.callbacks {
            let Some(id) = self.conversation_of(callback) else {
                late.push(false);
                continue;
            };
            talks.belongs_to(uow, id, self.customers_of(callback))?;
            late.push(callback.message().is_some_and(|message| {
                talks.hear(id, callback.said_at(message), message.kind, &message.message)
            }));
        }
        talks.save(uow)?;
        Ok(late)
    }

    /// Who spoke and is no customer: the directory is asked for their names.
    fn strangers(&self) -> Vec<LineUserId> {
        let mut strangers: Vec<LineUserId> = self
            .callbacks
            .iter()
            .filter(|callback| callback.message().is_some() && self.customers_of(callback).is_empty())
            .filter_map(Understood::user)
            .cloned()
            .collect();
        strangers.sort();
        strangers.dedup();
        strangers
    }

    fn activities(&self, callback: &Understood, late: bool) -> Vec<NewActivity> {
        let Some(message) = callback.message() else {
            return Vec::new();
        };
        let conversation_id = self.conversation_of(callback);
        let one = |customer: &CustomerId| NewActivity {
            customer_id: *customer,
            conversation_id,
            receipt_id: Some(callback.id),
            send_id: None,
            note_id: None,
            late,
            direction: Direction::Received,
            kind: message.kind,
            message: message.message.clone(),
            detail: message.detail.clone(),
            timestamp: callback.said_at(message),
        };
        self.customers_of(callback).iter().map(one).collect()
    }

    /// The file that is to be fetched, once for all who carry the address, and for a sender whom nobody knows too.
    fn attachment(&self, callback: &Understood) -> Option<NewAttachment> {
        let message = callback.message()?;
        Some(NewAttachment {
            receipt_id: callback.id,
            conversation_id: self.conversation_of(callback),
            bot: callback.bot.clone(),
            file_id: message.file_id.clone()?,
            kind: message.kind,
            name: file_name(&message.message),
        })
    }

    /// The newest change of each conversation counts; among equal times the one that arrived last.
    fn change_links(&self, uow: &mut dyn UnitOfWork) -> Result<(), StoreError> {
        let mut newest: HashMap<ConversationId, (Instant, LinkChange)> = HashMap::new();
        for (key, at, change) in self.callbacks.iter().filter_map(Understood::link_change) {
            let Some(id) = self.conversations.get(&key) else {
                continue;
            };
            if matches!(change, LinkChange::None) {
                continue;
            }
            let entry = newest.entry(*id).or_insert((at, change));
            if entry.0 <= at {
                *entry = (at, change);
            }
        }
        for (id, (at, change)) in newest {
            let link = match change {
                LinkChange::Spoke => LinkState::Active,
                LinkChange::Ended => LinkState::Left,
                LinkChange::Began if uow.conversations().has_confirmed_message(id)? => LinkState::Active,
                LinkChange::Began | LinkChange::None => LinkState::Unconfirmed,
            };
            uow.edit_conversations().set_link(id, link, at)?;
        }
        Ok(())
    }

    /// The conversations that open pages are told of.
    fn touched(&self) -> Touched {
        let mut touched = Touched::default();
        for callback in self.callbacks {
            let Some(id) = self.conversation_of(callback) else {
                continue;
            };
            let place = if callback.message().is_some() {
                &mut touched.said
            } else {
                &mut touched.changed
            };
            place.entry(id).or_default().extend(self.customers_of(callback));
        }
        touched
    }

    fn outcome(&self, callback: &Understood) -> ReceiptOutcome {
        let (state, reason) = match &callback.event {
            Err(error) => (ReceiptState::Uninterpreted, Some(error.to_string())),
            Ok(InboundEvent::Other { kind }) => (ReceiptState::Ignored, Some(kind.clone())),
            Ok(InboundEvent::Message(_)) if self.customers_of(callback).is_empty() => {
                (ReceiptState::Unclaimed, None)
            }
            Ok(_) => (ReceiptState::Recorded, None),
        };
        ReceiptOutcome {
            id: callback.id,
            state,
            conversation_id: self.conversation_of(callback),
            reason,
        }
    }

    fn report(&self, callback: &Understood, outcome: ReceiptOutcome) -> RecordedCallback {
        let customers = if callback.message().is_some() {
            self.customers_of(callback).to_vec()
        } else {
            Vec::new()
        };
        RecordedCallback {
            receipt: callback.id,
            kind: kind_of(callback),
            state: outcome.state,
            customers,
            user: callback.user().map(LineUserId::short),
            reason: outcome.reason,
        }
    }
}
