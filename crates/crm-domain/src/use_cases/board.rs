//! The board (対応状況) and the unknown senders: who waits for whom.

use super::Crm;
use super::sight::Reader;
use crate::attachments::Attachment;
use crate::board::{BoardCounts, BoardLine, BoardPage, BoardRequest};
use crate::conversations::{Conversation, ConversationId};
use crate::customers::CustomerId;
use crate::error::Error;
use crate::instant::Instant;
use crate::members::MemberId;
use crate::notes::Note;
use crate::permissions::{Action, Actor};
use crate::ports::callbacks::{InboundEvent, InboundMessage};
use crate::ports::store::{ReadUnit, StoreExt};
use crate::receipts::ReceiptId;
use crate::senders::Sender;
use crate::sends::Send;
use crate::values::LineUserId;

/// How many messages of one unknown sender are shown; the rest comes with the customer.
pub const UNKNOWN_MESSAGES: usize = 200;

/// A page of the board, and what the directory says of those who are no customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    /// The lines.
    pub page: BoardPage,
    /// Senders among them, in no order.
    pub senders: Vec<Sender>,
}

/// Somebody who wrote and is no customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownSender {
    /// The conversation.
    pub line: BoardLine,
    /// What the directory says, once asked.
    pub sender: Option<Sender>,
    /// What was received, oldest first, at most [`UNKNOWN_MESSAGES`], with the callback it came with.
    pub received: Vec<(ReceiptId, Instant, InboundMessage)>,
    /// The files that came with it.
    pub files: Vec<Attachment>,
    /// What was sent, oldest first.
    pub sent: Vec<Send>,
    /// What was noted, oldest first.
    pub notes: Vec<Note>,
}

/// A room in which people spoke who are no customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownRoom {
    /// The room's conversation.
    pub conversation: Conversation,
    /// What they said, oldest first, at most [`UNKNOWN_MESSAGES`], with the callback it came with.
    pub received: Vec<(ReceiptId, Instant, InboundMessage)>,
    /// The files that came with it.
    pub files: Vec<Attachment>,
    /// What the directory says of them, in no order.
    pub senders: Vec<Sender>,
}

impl Crm {
    /// A page of a column of the board.
    pub async fn board(&self, actor: &Actor, request: BoardRequest) -> Result<Board, Error> {
        self.may(actor, Action::ViewRecords)?;
        let eyes = Reader::of(actor);
        self.ports
            .store
            .read(move |unit| {
                let request = BoardRequest {
                    visible: eyes.visible(unit)?,
                    ..request.clone()
                };
                let page = unit.board().board(&request)?;
                let senders = senders_on(unit, &page.lines)?;
                Ok(Board { page, senders })
            })
            .await
    }

    /// How many wait, each counted up to `limit`.
    pub async fn board_counts(&self, actor: &Actor, limit: usize) -> Result<BoardCounts, Error> {
        self.may(actor, Action::ViewRecords)?;
        let (reader, eyes) = (actor.member_id(), Reader::of(actor));
        let read = move |unit: &mut dyn ReadUnit| {
            let visible = eyes.visible(unit)?;
            Ok(unit.board().board_counts(reader, &visible, limit)?)
        };
        self.ports.store.read(read).await
    }

    /// Where the conversations with a customer's LINE WORKS user id stand, on every bot.
    pub async fn conversations_of_customer(
        &self,
        actor: &Actor,
        customer: CustomerId,
    ) -> Result<Vec<BoardLine>, Error> {
        self.may(actor, Action::ViewRecords)?;
        let (reader, eyes) = (actor.member_id(), Reader::of(actor));
        let read = move |unit: &mut dyn ReadUnit| {
            let user = super::customers::found(unit, customer, eyes)?
                .customer
                .details
                .line_user_id;
            let talks: Vec<Conversation> = unit.conversations().conversations_with(&Vec::from_iter(user))?;
            let mut lines = Vec::new();
            for talk in talks {
                lines.extend(unit.board().board_line(talk.id, reader)?);
            }
            Ok(lines)
        };
        self.ports.store.read(read).await
    }

    /// Those who wrote and are no customers, newest first, those before `before` if given.
    pub async fn unknown_senders(
        &self,
        actor: &Actor,
        before: Option<(Instant, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<UnknownSender>, Error> {
        self.may(actor, Action::ViewRecords)?;
        let reader = actor.member_id();
        self.strangers_for(reader, before, limit).await
    }

    /// [`Crm::unknown_senders`] for jobs.
    pub(super) async fn strangers(
        &self,
        before: Option<(Instant, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<UnknownSender>, Error> {
        self.strangers_for(None, before, limit).await
    }

    async fn strangers_for(
        &self,
        reader: Option<MemberId>,
        before: Option<(Instant, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<UnknownSender>, Error> {
        let callbacks = std::sync::Arc::clone(&self.ports.callbacks);
        let read = move |unit: &mut dyn ReadUnit| {
            let lines = unit.board().unknown_senders(reader, before, limit)?;
            let mut senders = senders_on(unit, &lines)?;
            let mut unknown = Vec::new();
            for line in lines {
                let place = senders
                    .iter()
                    .position(|sender| sender.address == line.conversation.key.address);
                let sender = place.map(|place| senders.swap_remove(place));
                let interpret = |body: &[u8]| callbacks.interpret(body).ok();
                unknown.push(whole(unit, line, sender, interpret)?);
            }
            Ok(unknown)
        };
        self.ports.store.read(read).await
    }

    /// To which customer a person's conversation belongs; `None` while nobody carries the id.
    pub async fn customer_in_conversation(
        &self,
        actor: &Actor,
        id: ConversationId,
    ) -> Result<Option<CustomerId>, Error> {
        self.may(actor, Action::ViewRecords)?;
        let read = move |unit: &mut dyn ReadUnit| {
            let line = unit.board().board_line(id, None)?;
            let line = line.ok_or(Error::NotFound("conversation"))?;
            Ok(line.conversation.standing.customer_id)
        };
        self.ports.store.read(read).await
    }

    /// One who wrote and is no customer, by the conversation; `NotFound` once a customer carries the id.
    pub async fn unknown_sender(&self, actor: &Actor, id: ConversationId) -> Result<UnknownSender, Error> {
        self.may(actor, Action::ViewRecords)?;
        let reader = actor.member_id();
        let callbacks = std::sync::Arc::clone(&self.ports.callbacks);
        let read = move |unit: &mut dyn ReadUnit| {
            let line = unit.board().board_line(id, reader)?;
            let line = line
                .filter(|line| line.conversation.standing.customer_id.is_none())
                .ok_or(Error::NotFound("conversation"))?;
            let sender = senders_on(unit, std::slice::from_ref(&line))?.pop();
            let interpret = |body: &[u8]| callbacks.interpret(body).ok();
            whole(unit, line, sender, interpret)
        };
        self.ports.store.read(read).await
    }
}

impl Crm {
    /// Rooms in which people spoke who are no customers; what they said is shown with them once they are.
    pub async fn unknown_rooms(&self, actor: &Actor) -> Result<Vec<UnknownRoom>, Error> {
        self.may(actor, Action::ViewRecords)?;
        let callbacks = std::sync::Arc::clone(&self.ports.callbacks);
        let read = move |unit: &mut dyn ReadUnit| {
            let ids = unit.receipts().unclaimed_rooms()?;
            let mut rooms = Vec::new();
            for conversation in unit.conversations().conversations_by_id(&ids)? {
                let received = said(unit, conversation.id, |body| callbacks.interpret(body).ok())?;
                let people: Vec<LineUserId> = received.iter().map(|(_, _, said)| said.user.clone()).collect();
                rooms.push(UnknownRoom {
                    files: files_of(unit, &received)?,
                    senders: unit.senders().senders_of(&people)?,
                    conversation,
                    received,
                });
            }
            Ok(rooms)
        };
        self.ports.store.read(read).await
    }
}

fn senders_on(unit: &mut dyn ReadUnit, lines: &[BoardLine]) -> Result<Vec<Sender>, Error> {
    let unknown = lines
        .iter()
        .filter(|line| line.conversation.standing.customer_id.is_none());
    let addresses: Vec<LineUserId> = unknown
        .map(|line| line.conversation.key.address.clone())
        .collect();
    Ok(unit.senders().senders_of(&addresses)?)
}

fn whole(
    unit: &mut dyn ReadUnit,
    line: BoardLine,
    sender: Option<Sender>,
    interpret: impl Fn(&[u8]) -> Option<InboundEvent>,
) -> Result<UnknownSender, Error> {
    let id = line.conversation.id;
    let received = said(unit, id, interpret)?;
    Ok(UnknownSender {
        sender,
        files: files_of(unit, &received)?,
        received,
        sent: unit.sends().unshown_sends(id)?,
        notes: unit.notes().unshown_notes(id)?,
        line,
    })
}

fn files_of(
    unit: &mut dyn ReadUnit,
    received: &[(ReceiptId, Instant, InboundMessage)],
) -> Result<Vec<Attachment>, Error> {
    let with_file = received.iter().filter(|(_, _, said)| said.kind.has_file());
    let receipts: Vec<ReceiptId> = with_file.map(|(receipt, _, _)| *receipt).collect();
    Ok(unit.attachments().attachments_of_receipts(&receipts)?)
}

/// What was said in a conversation and stands on no page.
fn said(
    unit: &mut dyn ReadUnit,
    id: ConversationId,
    interpret: impl Fn(&[u8]) -> Option<InboundEvent>,
) -> Result<Vec<(ReceiptId, Instant, InboundMessage)>, Error> {
    let kept = unit.receipts().unclaimed_receipts(id, None, UNKNOWN_MESSAGES)?;
    let said = kept
        .into_iter()
        .filter_map(|receipt| match interpret(&receipt.body) {
            Some(InboundEvent::Message(message)) => {
                let at = message.said_at(receipt.received_at);
                Some((receipt.id, at, message))
            }
            _ => None,
        });
    Ok(said.collect())
}
