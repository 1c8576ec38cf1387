//! The messages of a conversation: read, delete, bring back.

use super::Crm;
use super::customers::found;
use super::sends::changed;
use super::sight::Reader;
use super::waitings::{review_last, review_trouble};
use crate::activities::{Activity, ActivityId, ActivityPlace};
use crate::audit::{Act, Deed};
use crate::conversations::{ConversationId, LinkState};
use crate::customers::CustomerId;
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::store::{ReadUnit, StoreError, StoreExt, UnitOfWork};

impl Crm {
    /// The newest messages of a customer, newest first, those before `before` if given.
    pub async fn conversation(
        &self,
        actor: &Actor,
        customer: CustomerId,
        before: Option<ActivityPlace>,
        limit: usize,
    ) -> Result<Vec<Activity>, Error> {
        self.may(actor, Action::ViewRecords)?;
        let reader = Reader::of(actor);
        let read = move |unit: &mut dyn ReadUnit| {
            found(unit, customer, reader)?;
            Ok(unit.activities().activities_before(customer, before, limit)?)
        };
        self.ports.store.read(read).await
    }

    /// What was added to a customer's conversation after the message `after`, oldest first.
    pub async fn new_messages(
        &self,
        actor: &Actor,
        customer: CustomerId,
        after: Option<ActivityId>,
        limit: usize,
    ) -> Result<Vec<Activity>, Error> {
        self.may(actor, Action::ViewRecords)?;
        let reader = Reader::of(actor);
        let read = move |unit: &mut dyn ReadUnit| {
            found(unit, customer, reader)?;
            Ok(unit.activities().activities_added_after(customer, after, limit)?)
        };
        self.ports.store.read(read).await
    }

    /// On whose page a message stands, or stood until it was deleted.
    pub async fn customer_of_message(&self, actor: &Actor, id: ActivityId) -> Result<CustomerId, Error> {
        self.may(actor, Action::ViewRecords)?;
        let reader = Reader::of(actor);
        let read = move |unit: &mut dyn ReadUnit| {
            let customer = unit.activities().customer_of_activity(id)?;
            let customer = customer.ok_or(Error::NotFound("activity"))?;
            stands_in_sight(unit, customer, reader)?;
            Ok(customer)
        };
        self.ports.store.read(read).await
    }

    /// Deletes a message from a customer's page and says whose page it was. One that waits to go out is taken back with it;
    /// one on its way cannot be deleted: [`Error::Stale`].
    pub async fn delete_message(&self, actor: &Actor, id: ActivityId) -> Result<CustomerId, Error> {
        let reader = Reader::of(actor);
        self.act(actor, Action::DeleteMessages, move |uow, at| {
            let activity = uow
                .activities()
                .activity(id)?
                .ok_or(Error::NotFound("activity"))?;
            stands_in_sight(uow, activity.customer_id, reader)?;
            take_back(uow, &activity, at)?;
            uow.edit_activities().delete_activity(id, at)?;
            review(uow, &activity, at)?;
            announce(uow, &activity, at)?;
            Ok(told(Act::MessageDeleted, &activity).gives(activity.customer_id))
        })
        .await
    }

    /// Brings a deleted message back and says to whose page.
    pub async fn restore_message(&self, actor: &Actor, id: ActivityId) -> Result<CustomerId, Error> {
        let reader = Reader::of(actor);
        self.act(actor, Action::DeleteMessages, move |uow, at| {
            let activity = uow
                .edit_activities()
                .restore_activity(id)?
                .ok_or(Error::NotFound("activity"))?;
            stands_in_sight(uow, activity.customer_id, reader)?;
            review(uow, &activity, at)?;
            announce(uow, &activity, at)?;
            Ok(told(Act::MessageRestored, &activity).gives(activity.customer_id))
        })
        .await
    }
}

/// What the log says of a message: its id, never its text.
fn told(act: Act, activity: &Activity) -> Deed {
    Deed::on(act, activity.id).about(activity.customer_id)
}

/// A message on the page of a customer who is not seen is not there.
fn stands_in_sight<U: ReadUnit + ?Sized>(
    unit: &mut U,
    customer: CustomerId,
    reader: Reader,
) -> Result<(), Error> {
    match found(unit, customer, reader) {
        Err(Error::NotFound(_)) => Err(Error::NotFound("activity")),
        outcome => outcome.map(|_| ()),
    }
}

/// What leaves the page must not leave for the customer afterwards.
fn take_back(uow: &mut dyn UnitOfWork, activity: &Activity, at: Instant) -> Result<(), Error> {
    let Some(sending) = activity
        .sending
        .as_ref()
        .filter(|sending| !sending.state.is_final())
    else {
        return Ok(());
    };
    let send = uow.sends().send(sending.id)?.ok_or(Error::NotFound("message"))?;
    if !uow.edit_sends().cancel_send(send.id, at)? {
        return Err(Error::Stale);
    }
    uow.edit_activities().delete_activities_of_send(send.id, at)?;
    changed(uow, &send, at)
}

/// What the conversation's line says of messages that were deleted or brought back.
fn review(uow: &mut dyn UnitOfWork, activity: &Activity, at: Instant) -> Result<(), Error> {
    review_link(uow, activity.conversation_id)?;
    let Some(id) = activity.conversation_id else {
        return Ok(());
    };
    if activity.sending.is_some() {
        review_trouble(uow, id, at)?;
    }
    review_last(uow, id, at)
}

/// 稼働中 stands for a message that exists: when the last one is deleted, or the first brought back, it changes.
fn review_link(uow: &mut dyn UnitOfWork, conversation: Option<ConversationId>) -> Result<(), Error> {
    let Some(id) = conversation else { return Ok(()) };
    let Some(stored) = uow.conversations().conversation(id)? else {
        return Ok(());
    };
    let link = match (stored.link, uow.conversations().has_confirmed_message(id)?) {
        (LinkState::Left, _) => LinkState::Left,
        (_, true) => LinkState::Active,
        (_, false) => LinkState::Unconfirmed,
    };
    if link != stored.link {
        uow.edit_conversations().reset_link(id, link)?;
    }
    Ok(())
}

/// Tells open pages that this message was deleted or brought back.
fn announce(uow: &mut dyn UnitOfWork, activity: &Activity, at: Instant) -> Result<(), StoreError> {
    let event = NewEvent::new(EventKind::Message, at)
        .conversation(activity.conversation_id)
        .customer(activity.customer_id);
    uow.edit_events().add_events(&[event])
}
