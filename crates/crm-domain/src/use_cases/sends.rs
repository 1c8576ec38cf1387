//! Sending: a message is queued by whoever writes it and delivered by a worker, so that no request ever waits on the
//! network with something undone in its hands.

use super::Crm;
use super::customers::found;
use super::events::announce_messages;
use crate::activities::{ActivityId, Direction, MessageKind, NewActivity, Sending};
use crate::conversations::{ConversationId, ConversationKey, ConversationKind, LinkState};
use crate::customers::CustomerId;
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::messenger::{OutgoingText, SendError, SendProblem};
use crate::ports::store::{StoreExt, UnitOfWork};
use crate::sends::{Author, NewSend, Queued, Send, SendId, SendState};
use crate::values::{LineUserId, MessageText, Problem};

/// To whom a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// A customer with a LINE WORKS user id.
    Customer(CustomerId),
    /// A user id, whether or not a customer carries it.
    User(LineUserId),
}

/// What became of a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Which one.
    pub id: SendId,
    /// How far it got.
    pub state: SendState,
    /// Why it was not sent or is not sure.
    pub problem: Option<SendProblem>,
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
        self.change_again(move |uow| message.queue(uow)).await
    }

    /// Queues a message to a customer in place of one that failed, which leaves every page in the same step; one that is
    /// 結果不明 stays, marked as sent again. [`Error::Stale`] when there is nothing to replace any more: somebody was faster.
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
        self.change_again(move |uow| {
            let queued = message.queue(uow)?;
            if let Queued::Added(_) = queued {
                replace(uow, customer, replaces, at)?;
            }
            Ok(queued)
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
        actor.may(Action::SendMessages)?;
        let messenger = self
            .ports
            .messengers
            .line_works()
            .ok_or(Error::Messenger(SendProblem::NotConfigured))?;
        let key = match key.map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()) {
            Some(key) if key.chars().count() > 100 => {
                return Err(Error::field("key", Problem::TooLong { max: 100 }));
            }
            // A key belongs to its author: nobody can answer for another by guessing one.
            Some(key) => format!("{}:{key}", actor.member_id().map_or(0, crate::id::Id::get)),
            None => self.ports.secrets.token(),
        };
        Ok(Message {
            to,
            text,
            key,
            bot: messenger.bot(),
            author: actor.author(),
            at: self.now(),
        })
    }

    /// A message of ours and how far it got.
    pub async fn show_send(&self, actor: &Actor, id: SendId) -> Result<Send, Error> {
        actor.may(Action::ViewRecords)?;
        self.ports
            .store
            .read(move |unit| unit.sends().send(id)?.ok_or(Error::NotFound("message")))
            .await
    }

    /// Takes the next message that waits and marks it 送信中 by `run`; `None` when nothing waits.
    pub async fn claim_message(&self, actor: &Actor, run: &str) -> Result<Option<Send>, Error> {
        actor.may(Action::DeliverMessages)?;
        let (run, at) = (run.to_owned(), self.now());
        // Not repeated when uncertain: what was claimed unseen becomes 結果不明, never a second message.
        self.ports
            .store
            .write(move |uow| {
                let claimed = uow.edit_sends().claim_send(&run, at)?;
                if let Some(send) = &claimed {
                    announce(uow, Some(send.conversation_id), at)?;
                }
                Ok(claimed)
            })
            .await
    }

    /// Hands a claimed message to the messenger and waits for its answer. Stores nothing: see [`Crm::settle_message`].
    pub async fn dispatch_message(&self, send: &Send) -> Delivered {
        let outcome = match self.ports.messengers.line_works() {
            Some(messenger) if messenger.bot() == send.to.bot => {
                let text = OutgoingText {
                    bot: send.to.bot.clone(),
                    to: send.to.address.clone(),
                    text: send.text.clone(),
                };
                messenger.send_text(&text).await
            }
            _ => Err(SendError::NotSent {
                problem: SendProblem::NotConfigured,
                wait: None,
            }),
        };
        let state = match &outcome {
            Ok(()) => SendState::Sent,
            Err(SendError::NotSent { .. } | SendError::Refused(_)) => SendState::Failed,
            Err(SendError::Unknown(_)) => SendState::Unknown,
        };
        Delivered {
            id: send.id,
            state,
            problem: outcome.err().map(|error| error.problem()),
        }
    }

    /// Notes what became of a message that `run` had on its way; to be repeated until it succeeds.
    pub async fn settle_message(
        &self,
        actor: &Actor,
        run: &str,
        send: &Send,
        delivered: &Delivered,
    ) -> Result<(), Error> {
        actor.may(Action::DeliverMessages)?;
        let (run, at, conversation) = (run.to_owned(), self.now(), send.conversation_id);
        let (id, state) = (delivered.id, delivered.state);
        let reason = delivered.problem.map(SendProblem::code);
        self.change_again(move |uow| {
            let settled = uow.edit_sends().finish_send(id, &run, state, reason, at)?;
            announce(uow, Some(conversation), at)?;
            if settled && state == SendState::Sent {
                uow.edit_conversations()
                    .set_link(conversation, LinkState::Active, at)?;
            }
            Ok(())
        })
        .await
    }

    /// Claims, dispatches and settles one message; `None` when nothing waits. A program without a worker of its own calls
    /// this until it answers `None`.
    pub async fn deliver_next(&self, actor: &Actor, run: &str) -> Result<Option<Delivered>, Error> {
        let Some(send) = self.claim_message(actor, run).await? else {
            return Ok(None);
        };
        let delivered = self.dispatch_message(&send).await;
        self.settle_message(actor, run, &send, &delivered).await?;
        Ok(Some(delivered))
    }

    /// Marks what runs that are proved dead had on their way as 結果不明, and says how many it were. Only the holder of the
    /// lock that a living run would hold may call this.
    pub async fn abandon_messages(&self, actor: &Actor, living_run: &str) -> Result<usize, Error> {
        actor.may(Action::DeliverMessages)?;
        let (run, at) = (living_run.to_owned(), self.now());
        let reason = SendProblem::Interrupted.code();
        self.change_again(move |uow| {
            let abandoned = uow.edit_sends().abandon_sends(&run, reason, at)?;
            if abandoned > 0 {
                announce(uow, None, at)?;
            }
            Ok(abandoned)
        })
        .await
    }
}

/// Takes a message that did not arrive from every page, or marks it when that is not sure.
fn replace(uow: &mut dyn UnitOfWork, customer: CustomerId, id: ActivityId, at: Instant) -> Result<(), Error> {
    let shown = uow.activities().activity(id)?;
    let shown_in = shown.as_ref().and_then(|activity| activity.conversation_id);
    let open = shown
        .filter(|activity| activity.customer_id == customer)
        .and_then(|activity| activity.sending)
        .filter(Sending::may_be_resent)
        .ok_or(Error::Stale)?;
    if open.state == SendState::Unknown {
        uow.edit_sends().mark_resent(open.id)?;
    } else {
        uow.edit_activities().delete_activities_of_send(open.id, at)?;
    }
    announce(uow, shown_in, at)
}

/// Tells open pages that messages of ours in this conversation, or in any, changed their state.
fn announce(
    uow: &mut dyn UnitOfWork,
    conversation: Option<ConversationId>,
    at: Instant,
) -> Result<(), Error> {
    let event = NewEvent::new(EventKind::Send, at).conversation(conversation);
    Ok(uow.edit_events().add_events(&[event])?)
}

/// A message on its way to the disk.
#[derive(Clone)]
struct Message {
    to: Recipient,
    text: MessageText,
    key: String,
    bot: String,
    author: Author,
    at: Instant,
}

impl Message {
    fn queue(&self, uow: &mut dyn UnitOfWork) -> Result<Queued, Error> {
        let address = match &self.to {
            Recipient::User(user) => user.clone(),
            Recipient::Customer(id) => found(uow, *id)?
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
        let send = NewSend {
            key: self.key.clone(),
            conversation_id,
            text: self.text.clone(),
            author: self.author.clone(),
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
        let one = |customer_id: CustomerId| NewActivity {
            customer_id,
            conversation_id: Some(conversation),
            receipt_id: None,
            send_id: Some(send),
            direction: Direction::Sent,
            kind: MessageKind::Text,
            message: self.text.as_str().to_owned(),
            detail: None,
            timestamp: self.at,
        };
        let activities: Vec<NewActivity> = carrying.into_iter().map(|(_, customer)| one(customer)).collect();
        uow.edit_activities().add_activities(&activities)?;
        let shown = [(
            conversation,
            activities.iter().map(|shown| shown.customer_id).collect(),
        )];
        Ok(announce_messages(uow, &shown.into(), self.at)?)
    }
}
