//! Who carries an address: a conversation belongs to the customers with its LINE WORKS user id, and shows on all their pages
//! from its beginning, also what was said before they carried it.

use std::collections::HashSet;

use super::Crm;
use super::events::announce_messages;
use super::waitings::{belongs_to, stand, talk};
use crate::activities::{ActivityId, Direction, MessageKind, NewActivity};
use crate::conversations::{Conversation, ConversationId};
use crate::customers::{CustomerId, CustomerQueries};
use crate::error::Error;
use crate::instant::Instant;
use crate::notes::Note;
use crate::permissions::{Action, Actor};
use crate::ports::callbacks::{InboundEvent, InboundMessage};
use crate::ports::store::{ReadUnit, StoreError, StoreExt, UnitOfWork};
use crate::receipts::{PendingReceipt, ReceiptId};
use crate::sends::Send;
use crate::standings::Standing;
use crate::values::LineUserId;

/// How many messages are shown on further pages in one unit of work.
const CHUNK: usize = 200;

/// These people are carried by other customers than before: their conversations belong to whoever carries them now, and what
/// was said earlier is to be shown there.
pub(super) fn review_carriers(
    uow: &mut dyn UnitOfWork,
    people: &[LineUserId],
    at: Instant,
) -> Result<(), Error> {
    for talk in uow.conversations().conversations_with(people)? {
        let carrying = carrying(uow.customers(), &talk.key.address)?;
        if !carrying.is_empty() {
            uow.edit_conversations().set_claim_due(talk.id, true)?;
        }
        let mut standing = talk.standing.clone();
        standing.customer_id = None;
        belongs_to(uow, &mut standing, &carrying)?;
        let whose = |standing: &Standing| (standing.customer_id, standing.owner_id, standing.team_id);
        if whose(&standing) != whose(&talk.standing) {
            stand(uow, talk.id, standing, at)?;
        }
    }
    Ok(())
}

fn carrying(
    customers: &mut dyn CustomerQueries,
    address: &LineUserId,
) -> Result<Vec<CustomerId>, StoreError> {
    let pairs = customers.customers_carrying(std::slice::from_ref(address))?;
    Ok(pairs.into_iter().map(|(_, customer)| customer).collect())
}

impl Crm {
    /// Shows earlier messages on the pages of customers who came to carry their address, and says of how many conversations.
    /// What was begun and broken off is taken up.
    pub async fn claim_conversations(&self, actor: &Actor) -> Result<usize, Error> {
        self.may(actor, Action::RecordCallbacks)?;
        self.claim_due().await
    }

    /// [`Crm::claim_conversations`] for the use cases that made it necessary.
    pub(super) async fn claim_due(&self) -> Result<usize, Error> {
        let mut claimed = 0;
        loop {
            let due = self
                .ports
                .store
                .read(|unit| Ok::<_, Error>(unit.conversations().claims_due(1)?));
            let Some(id) = due.await?.first().copied() else {
                return Ok(claimed);
            };
            self.claim(id).await?;
            claimed += 1;
        }
    }

    async fn claim(&self, id: ConversationId) -> Result<(), Error> {
        let mut after = None;
        loop {
            after = self.claim_received(id, id, after).await?;
            if after.is_none() {
                break;
            }
        }
        self.claim_in_rooms(id).await?;
        let at = self.now();
        self.change_again(move |uow| show_ours(uow, id, at)).await?;
        let mut after = None;
        loop {
            after = self.change_again(move |uow| share(uow, id, after, at)).await?;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// What the person of this conversation said in rooms.
    async fn claim_in_rooms(&self, id: ConversationId) -> Result<(), Error> {
        let rooms = |unit: &mut dyn ReadUnit| Ok::<_, Error>(unit.receipts().unclaimed_rooms()?);
        for room in self.ports.store.read(rooms).await? {
            let mut after = None;
            loop {
                after = self.claim_received(id, room, after).await?;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// One chunk of what the person of conversation `id` said in conversation `place`; says where to go on.
    async fn claim_received(
        &self,
        id: ConversationId,
        place: ConversationId,
        after: Option<ReceiptId>,
    ) -> Result<Option<ReceiptId>, Error> {
        let read = move |unit: &mut dyn ReadUnit| {
            Ok::<_, Error>(unit.receipts().unclaimed_receipts(place, after, CHUNK)?)
        };
        let receipts: Vec<PendingReceipt> = self.ports.store.read(read).await?;
        let last = receipts.last().filter(|_| receipts.len() == CHUNK);
        let next = last.map(|receipt| receipt.id);
        let said =
            receipts
                .into_iter()
                .filter_map(|receipt| match self.ports.callbacks.interpret(&receipt.body) {
                    Ok(InboundEvent::Message(message)) => Some((receipt, message)),
                    _ => None,
                });
        let said: Vec<(PendingReceipt, InboundMessage)> = said.collect();
        let at = self.now();
        self.change_again(move |uow| show_received(uow, id, place, &said, at))
            .await?;
        Ok(next)
    }
}

/// Adds what the person of conversation `id` said in conversation `place` to the pages of all who carry the address.
fn show_received(
    uow: &mut dyn UnitOfWork,
    id: ConversationId,
    place: ConversationId,
    said: &[(PendingReceipt, InboundMessage)],
    at: Instant,
) -> Result<(), Error> {
    let person = talk(uow, id)?.key.address;
    let customers = customers_of(uow, id)?;
    // What a run before this one has claimed stands on the pages already.
    let due = still_unclaimed(uow, place, said)?;
    let said: Vec<_> = said
        .iter()
        .filter(|(receipt, message)| message.user == person && due.contains(&receipt.id))
        .collect();
    if customers.is_empty() || said.is_empty() {
        return Ok(());
    }
    let rows: Vec<NewActivity> = said
        .iter()
        .flat_map(|(receipt, message)| {
            let row = NewActivity {
                receipt_id: Some(receipt.id),
                kind: message.kind,
                detail: message.detail.clone(),
                ..row(
                    place,
                    Direction::Received,
                    &message.message,
                    message.said_at(receipt.received_at),
                )
            };
            for_each(&customers, row)
        })
        .collect();
    uow.edit_activities().add_activities(&rows)?;
    let ids: Vec<_> = said.iter().map(|(receipt, _)| receipt.id).collect();
    uow.edit_receipts().claim_receipts(&ids)?;
    announce_messages(uow, &[(place, customers.into_iter().collect())].into(), at)?;
    Ok(())
}

fn still_unclaimed(
    uow: &mut dyn UnitOfWork,
    place: ConversationId,
    said: &[(PendingReceipt, InboundMessage)],
) -> Result<HashSet<ReceiptId>, StoreError> {
    let Some((first, _)) = said.first() else {
        return Ok(HashSet::new());
    };
    let before = ReceiptId::new(first.id.get() - 1);
    let unclaimed = uow.receipts().unclaimed_receipts(place, Some(before), CHUNK)?;
    Ok(unclaimed.into_iter().map(|receipt| receipt.id).collect())
}

/// Adds what we sent and noted before anybody carried the address.
fn show_ours(uow: &mut dyn UnitOfWork, id: ConversationId, at: Instant) -> Result<(), Error> {
    let customers = customers_of(uow, id)?;
    if customers.is_empty() {
        return Ok(());
    }
    let sends = uow.sends().unshown_sends(id)?;
    let notes = uow.notes().unshown_notes(id)?;
    let rows: Vec<NewActivity> = sends
        .iter()
        .map(|send| sent_row(id, send))
        .chain(notes.iter().map(|note| note_row(id, note)))
        .flat_map(|row| for_each(&customers, row))
        .collect();
    if !rows.is_empty() {
        uow.edit_activities().add_activities(&rows)?;
        announce_messages(uow, &[(id, customers.into_iter().collect())].into(), at)?;
    }
    Ok(())
}

/// Adds one chunk of what stands on the pages of others who carry the address to the pages that lack it; says where to go
/// on. At the end nothing is due any more.
fn share(
    uow: &mut dyn UnitOfWork,
    id: ConversationId,
    after: Option<(CustomerId, Option<ActivityId>)>,
    at: Instant,
) -> Result<Option<(CustomerId, Option<ActivityId>)>, Error> {
    let customers = customers_of(uow, id)?;
    let place = after.or_else(|| customers.first().map(|first| (*first, None)));
    let Some((customer, row)) = place else {
        uow.edit_conversations().set_claim_due(id, false)?;
        return Ok(None);
    };
    let lacking = uow.activities().activities_lacking(id, customer, row, CHUNK)?;
    if let Some((last, _)) = lacking.last() {
        let last = *last;
        let rows: Vec<NewActivity> = lacking.into_iter().map(|(_, row)| row).collect();
        uow.edit_activities().add_activities(&rows)?;
        announce_messages(uow, &[(id, [customer].into())].into(), at)?;
        return Ok(Some((customer, Some(last))));
    }
    let next = customers.into_iter().find(|other| *other > customer);
    if next.is_none() {
        uow.edit_conversations().set_claim_due(id, false)?;
    }
    Ok(next.map(|next| (next, None)))
}

fn customers_of(uow: &mut dyn UnitOfWork, id: ConversationId) -> Result<Vec<CustomerId>, Error> {
    let talk: Option<Conversation> = uow.conversations().conversation(id)?;
    let talk = talk.ok_or(Error::NotFound("conversation"))?;
    Ok(carrying(uow.customers(), &talk.key.address)?)
}

fn for_each(customers: &[CustomerId], row: NewActivity) -> impl Iterator<Item = NewActivity> + use<'_> {
    customers.iter().map(move |customer| NewActivity {
        customer_id: *customer,
        ..row.clone()
    })
}

/// A row of a conversation that stands on nobody's page yet.
fn row(id: ConversationId, direction: Direction, text: &str, timestamp: Instant) -> NewActivity {
    NewActivity {
        customer_id: CustomerId::new(0),
        conversation_id: Some(id),
        receipt_id: None,
        send_id: None,
        note_id: None,
        direction,
        kind: MessageKind::Text,
        message: text.to_owned(),
        detail: None,
        timestamp,
        late: false,
    }
}

fn sent_row(id: ConversationId, send: &Send) -> NewActivity {
    NewActivity {
        send_id: Some(send.id),
        ..row(id, Direction::Sent, &send.text, send.queued_at)
    }
}

fn note_row(id: ConversationId, note: &Note) -> NewActivity {
    NewActivity {
        note_id: Some(note.id),
        ..row(id, Direction::Note, &note.text, note.written_at)
    }
}
