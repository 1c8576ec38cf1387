//! Sending: a message is queued by whoever writes it and delivered by a worker, so that no request ever waits on the
//! network with something undone in its hands.

use super::Crm;
use super::customers::found;
use super::events::announce_messages;
use super::repeating::{Once, Repeat, once};
use super::sight::Reader;
use super::waitings;
use crate::activities::{ActivityId, Direction, MessageKind, NewActivity, Sending};
use crate::audit::{Act, Deed, Did};
use crate::conversations::{Conversation, ConversationId, ConversationKey, ConversationKind};
use crate::customers::CustomerId;
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::idempotency::{Asked, Named};
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::blobs::BlobHash;
use crate::ports::messenger::SendProblem;
use crate::ports::store::{ReadUnit, StoreExt, UnitOfWork};
use crate::sends::{Author, CANCELLED, NewSend, Queued, Send, SendId, SendState, Urgency};
use crate::values::{LineUserId, MessageText, Problem};

/// To whom a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// A customer with a LINE WORKS user id.
    Customer(CustomerId),
    /// A user id, whether or not a customer carries it.
    User(LineUserId),
}

impl Crm {
    /// Puts a message on disk, to be sent at once by whoever delivers. The same `key` queues once, however often it comes;
    /// without one each call is a message of its own. A key that was used for another message is an invalid `key`.
    pub async fn queue_message(
        &self,
        actor: &Actor,
        to: Recipient,
        text: MessageText,
        key: Option<String>,
    ) -> Result<Queued, Error> {
        let message = self.written(actor, to, text, key)?;
        self.act_again(self.trace(actor), move |uow, _| {
            let queued = message.queue(uow)?;
            Ok(message.told(queued))
        })
        .await
    }

    /// [`Crm::queue_message`] to a customer for a request that may come again: what it answers goes with the message. The key
    /// also stays with the message itself, so that not even a restored database sends it twice; with another text it is
    /// [`Error::KeyUsed`].
    pub async fn queue_message_once(
        &self,
        actor: &Actor,
        customer: CustomerId,
        text: MessageText,
        repeat: Option<Repeat<Send>>,
    ) -> Result<Once<Send>, Error> {
        self.may(actor, Action::SendMessages)?;
        if let Some(answer) = self.answered_before(repeat.as_ref()).await? {
            return Ok(Once::Replayed(answer));
        }
        let key = repeat.as_ref().map(|repeat| self.key_of(&repeat.asked));
        let message = self.written(actor, Recipient::Customer(customer), text, key)?;
        self.act_again(self.trace(actor), move |uow, at| {
            let did = once(repeat.as_ref(), uow, at, |uow| {
                let queued = message.queue(uow).map_err(used)?;
                let send = uow.sends().send(queued.id())?.ok_or(Error::NotFound("message"))?;
                let named = Named {
                    customer: Some(customer),
                    conversation: Some(send.conversation_id),
                };
                Ok((Did::all(message.told(queued).entries, send), named))
            })?;
            Ok(match (did.result, &repeat) {
                // It was queued longer ago than answers are kept.
                (Once::Done(send), Some(repeat)) if did.entries.is_empty() => {
                    Did::nothing(Once::Replayed((repeat.present)(&send)))
                }
                (result, _) => Did::all(did.entries, result),
            })
        })
        .await
    }

    /// The key that a message carries for a request that may come again.
    fn key_of(&self, asked: &Asked) -> String {
        let whole = format!("{} {} {}", asked.method, asked.path, asked.key.as_str());
        let hash = self.ports.secrets.hash(whole.as_bytes());
        format!("api-{}", BlobHash(hash))
    }

    /// Queues a message to a customer in place of one that failed, which leaves every page in the same step; one that is
    /// 結果不明 stays, marked as sent again. [`Error::Stale`] when there is nothing to replace any more: somebody was faster.
    /// [`Error::UnderWay`] while another instance could still let it leave.
    pub async fn resend_message(
        &self,
        actor: &Actor,
        customer: CustomerId,
        text: MessageText,
        key: Option<String>,
        replaces: ActivityId,
    ) -> Result<Queued, Error> {
        let message = self.written(actor, Recipient::Customer(customer), text, key)?;
        let at = message.at;
        self.act_again(self.trace(actor), move |uow, _| {
            let queued = message.queue(uow)?;
            if let Queued::Added(_) = queued {
                replace(uow, customer, replaces, at)?;
            }
            Ok(message.told(queued))
        })
        .await
    }

    fn written(
        &self,
        actor: &Actor,
        to: Recipient,
        text: MessageText,
        key: Option<String>,
    ) -> Result<Message, Error> {
        self.may(actor, Action::SendMessages)?;
        let messenger = self
            .ports
            .messengers
            .line_works()
            .ok_or(Error::Messenger(SendProblem::NotConfigured))?;
        let key = self.own_key(actor, key)?;
        Ok(Message {
            to,
            text,
            key,
            bot: messenger.bot(),
            author: actor.author(),
            urgency: urgency_of(actor),
            reader: Reader::of(actor),
            at: self.now(),
        })
    }

    /// The key under which a text of this author is kept once; a fresh one without one. It belongs to its author: nobody
    /// can answer for another by guessing one.
    pub(super) fn own_key(&self, actor: &Actor, key: Option<String>) -> Result<String, Error> {
        let key = key.map(|key| key.trim().to_owned()).filter(|key| !key.is_empty());
        let Some(key) = key else {
            return Ok(self.ports.secrets.token());
        };
        if key.chars().count() > 100 {
            return Err(Error::field("key", Problem::TooLong { max: 100 }));
        }
        if key.chars().any(char::is_control) {
            return Err(Error::field("key", Problem::ControlCharacter));
        }
        Ok(format!(
            "{}:{key}",
            actor.member_id().map_or(0, crate::id::Id::get)
        ))
    }

    /// A message of ours and how far it got.
    pub async fn show_send(&self, actor: &Actor, id: SendId) -> Result<Send, Error> {
        self.may(actor, Action::ViewRecords)?;
        let reader = Reader::of(actor);
        self.ports.store.read(move |unit| known(unit, id, reader)).await
    }

    /// Takes a message back that has not gone out: it leaves every page. Once more changes nothing; [`Error::Stale`] when it
    /// goes out already or has gone.
    pub async fn cancel_message(&self, actor: &Actor, id: SendId) -> Result<Send, Error> {
        self.may(actor, Action::SendMessages)?;
        let reader = Reader::of(actor);
        self.act_again(self.trace(actor), move |uow, at| {
            let send = known(uow, id, reader)?;
            if uow.edit_sends().cancel_send(id, at)? {
                uow.edit_activities().delete_activities_of_send(id, at)?;
                waitings::review_last(uow, send.conversation_id, at)?;
                changed(uow, &send, at)?;
            } else if send.reason.as_deref() != Some(CANCELLED) {
                return Err(Error::Stale);
            } else {
                return Ok(Did::nothing(send));
            }
            told(uow, Act::MessageCancelled, send)
        })
        .await
    }

    /// Calls a message sent that is 結果不明, because a person knows. Once more changes nothing; [`Error::Stale`] when it is
    /// in another state or was sent again.
    pub async fn treat_as_sent(&self, actor: &Actor, id: SendId) -> Result<Send, Error> {
        self.may(actor, Action::SendMessages)?;
        let (by, reader) = (actor.author(), Reader::of(actor));
        self.act_again(self.trace(actor), move |uow, at| {
            let send = known(uow, id, reader)?;
            if uow.edit_sends().treat_send(id, &by, at)? {
                // It arrived when it went out, not when somebody learnt of it.
                waitings::taken_as_sent(uow, &send, by.member_id, send.finished_at.unwrap_or(at))?;
                changed(uow, &send, at)?;
            } else if send.treated.is_none() {
                return Err(Error::Stale);
            } else {
                return Ok(Did::nothing(send));
            }
            told(uow, Act::MessageTreatedAsSent, send)
        })
        .await
    }
}

/// What the log says of a message of ours that changed: its id, never its text.
fn told(uow: &mut dyn UnitOfWork, act: Act, send: Send) -> Result<Did<Send>, Error> {
    let customer = waitings::talk(uow, send.conversation_id)?.standing.customer_id;
    Ok(Deed::on(act, send.id).about(customer).gives(send))
}

/// A message in a conversation that is not seen is not there.
fn known<U: ReadUnit + ?Sized>(unit: &mut U, id: SendId, reader: Reader) -> Result<Send, Error> {
    let send = unit.sends().send(id)?.ok_or(Error::NotFound("message"))?;
    match reader.talk(unit, send.conversation_id) {
        Err(Error::NotFound(_)) => Err(Error::NotFound("message")),
        outcome => outcome.map(|_| send),
    }
}

/// Every change of a message's state passes here: open pages are told.
pub(super) fn changed(uow: &mut dyn UnitOfWork, send: &Send, at: Instant) -> Result<(), Error> {
    let event = NewEvent::new(EventKind::Send, at).conversation(send.conversation_id);
    uow.edit_events().add_events(&[event])?;
    waitings::review_trouble(uow, send.conversation_id, at)
}

/// Takes a message that did not arrive from every page, or marks it when that is not sure.
fn replace(uow: &mut dyn UnitOfWork, customer: CustomerId, id: ActivityId, at: Instant) -> Result<(), Error> {
    let shown = uow.activities().activity(id)?;
    let open = shown
        .filter(|activity| activity.customer_id == customer)
        .and_then(|activity| activity.sending)
        .filter(Sending::may_be_resent)
        .ok_or(Error::Stale)?;
    if open.held_until.is_some() {
        // Its sender goes by the same clock.
        let now = uow.leases().database_now()?;
        open.held_at(now)
            .map_or(Ok(()), |until| Err(Error::UnderWay(until)))?;
    }
    let send = known(uow, open.id, Reader::Everything)?;
    if open.state == SendState::Unknown {
        uow.edit_sends().mark_resent(open.id)?;
    } else {
        uow.edit_activities().delete_activities_of_send(open.id, at)?;
    }
    changed(uow, &send, at)
}

/// What a person writes goes before what programs make.
fn urgency_of(actor: &Actor) -> Urgency {
    match actor {
        Actor::Member { .. } => Urgency::Message,
        _ => Urgency::Bulk,
    }
}

/// A message on its way to the disk.
/// The key of a request stands with another message.
fn used(error: Error) -> Error {
    match error {
        Error::Invalid(fields) if fields.iter().all(|field| field.field == "key") => Error::KeyUsed,
        error => error,
    }
}

#[derive(Clone)]
struct Message {
    to: Recipient,
    text: MessageText,
    key: String,
    bot: String,
    author: Author,
    urgency: Urgency,
    reader: Reader,
    at: Instant,
}

impl Message {
    /// What the log says of it; nothing when it was queued before.
    fn told(&self, queued: Queued) -> Did<Queued> {
        let customer = match &self.to {
            Recipient::Customer(id) => Some(*id),
            Recipient::User(_) => None,
        };
        match queued {
            Queued::Added(id) => Deed::on(Act::MessageQueued, id).about(customer).gives(queued),
            Queued::Existed(_) => Did::nothing(queued),
        }
    }

    fn queue(&self, uow: &mut dyn UnitOfWork) -> Result<Queued, Error> {
        let address = match &self.to {
            Recipient::User(user) => user.clone(),
            Recipient::Customer(id) => found(uow, *id, self.reader)?
                .customer
                .details
                .line_user_id
                .ok_or(Error::NoAddress)?,
        };
        let key = ConversationKey {
            bot: self.bot.clone(),
            address: address.clone(),
            kind: ConversationKind::Person,
        };
        let opened = uow.edit_conversations().open_conversations(&[key], self.at)?;
        let conversation_id = *opened.first().ok_or(Error::NotFound("conversation"))?;
        let waits = self.talk(uow, conversation_id)?.standing.waiting_since;
        let send = NewSend {
            key: self.key.clone(),
            conversation_id,
            text: self.text.clone(),
            author: self.author.clone(),
            urgency: waits.map_or(self.urgency, |_| Urgency::Answer),
            queued_at: self.at,
        };
        let queued = uow.edit_sends().add_send(&send)?;
        match queued {
            Queued::Added(id) => self.show(uow, &address, conversation_id, id)?,
            Queued::Existed(id) => {
                let first = uow.sends().send(id)?.ok_or(Error::NotFound("message"))?;
                // Saying what became of the first would be taken for an answer about this one.
                if first.conversation_id != conversation_id || first.text != self.text.as_str() {
                    return Err(Error::field("key", Problem::Taken));
                }
            }
        }
        Ok(queued)
    }

    /// The conversation; of a user id that was typed, only one that the writer sees.
    fn talk(&self, uow: &mut dyn UnitOfWork, id: ConversationId) -> Result<Conversation, Error> {
        match self.to {
            Recipient::User(_) => self.reader.talk(uow, id),
            Recipient::Customer(_) => waitings::talk(uow, id),
        }
    }

    /// It shows on the page of every customer who carries the address.
    fn show(
        &self,
        uow: &mut dyn UnitOfWork,
        address: &LineUserId,
        conversation: ConversationId,
        send: SendId,
    ) -> Result<(), Error> {
        let carrying = uow
            .customers()
            .customers_carrying(std::slice::from_ref(address))?;
        let carrying: Vec<CustomerId> = carrying.into_iter().map(|(_, customer)| customer).collect();
        let timestamp = waitings::said_by_us(uow, conversation, &carrying, self.text.as_str(), self.at)?;
        let one = |customer_id: CustomerId| NewActivity {
            customer_id,
            conversation_id: Some(conversation),
            receipt_id: None,
            send_id: Some(send),
            note_id: None,
            late: false,
            direction: Direction::Sent,
            kind: MessageKind::Text,
            message: self.text.as_str().to_owned(),
            detail: None,
            timestamp,
        };
        let activities: Vec<NewActivity> = carrying.into_iter().map(one).collect();
        uow.edit_activities().add_activities(&activities)?;
        let shown = [(
            conversation,
            activities.iter().map(|shown| shown.customer_id).collect(),
        )];
        Ok(announce_messages(uow, &shown.into(), self.at)?)
    }
}
