//! A kept callback and what it says: whom it concerns, where and when.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::conversations::{ConversationKey, ConversationKind};
use crate::instant::Instant;
use crate::ports::callbacks::{InboundEvent, InboundMessage, InterpretError, RoomChange};
use crate::ports::store::{StoreError, UnitOfWork};
use crate::receipts::ReceiptId;
use crate::values::LineUserId;

/// A kept callback and what it says.
#[derive(Clone)]
pub(super) struct Understood {
    pub(super) id: ReceiptId,
    pub(super) bot: String,
    pub(super) received_at: Instant,
    pub(super) event: Result<InboundEvent, InterpretError>,
}

impl Understood {
    /// Whom it concerns, when, and what that does to the line.
    pub(super) fn link_change(&self) -> Option<(ConversationKey, Instant, LinkChange)> {
        let person = |user: &LineUserId| ConversationKey {
            bot: self.bot.clone(),
            address: user.clone(),
            kind: ConversationKind::Person,
        };
        match self.event.as_ref().ok()? {
            InboundEvent::Message(message) => {
                Some((self.place(message), self.said_at(message), LinkChange::Spoke))
            }
            InboundEvent::Began { user, at } => Some((person(user), *at, LinkChange::Began)),
            InboundEvent::Ended { user, at } => Some((person(user), *at, LinkChange::Ended)),
            InboundEvent::Room(event) => {
                let key = ConversationKey {
                    kind: ConversationKind::Room,
                    ..person(&event.room)
                };
                let change = match event.change {
                    RoomChange::BotCame => LinkChange::Began,
                    RoomChange::BotLeft => LinkChange::Ended,
                    RoomChange::MembersCame | RoomChange::MembersLeft => LinkChange::None,
                };
                Some((key, event.at.unwrap_or(self.received_at), change))
            }
            InboundEvent::Other { .. } => None,
        }
    }

    fn place(&self, message: &InboundMessage) -> ConversationKey {
        let (address, kind) = message.place();
        ConversationKey {
            bot: self.bot.clone(),
            address: address.clone(),
            kind,
        }
    }

    pub(super) fn said_at(&self, message: &InboundMessage) -> Instant {
        message.said_at(self.received_at)
    }

    pub(super) fn message(&self) -> Option<&InboundMessage> {
        match &self.event {
            Ok(InboundEvent::Message(message)) => Some(message),
            _ => None,
        }
    }

    pub(super) fn user(&self) -> Option<&LineUserId> {
        match self.event.as_ref().ok()? {
            InboundEvent::Message(message) => Some(&message.user),
            InboundEvent::Began { user, .. } | InboundEvent::Ended { user, .. } => Some(user),
            InboundEvent::Room(_) | InboundEvent::Other { .. } => None,
        }
    }

    /// The channel that it shows to be a room.
    fn room_shown(&self) -> Option<&LineUserId> {
        match self.event.as_ref().ok()? {
            InboundEvent::Message(message) if message.channel_in_doubt().is_none() => message.room.as_ref(),
            InboundEvent::Room(event) => Some(&event.room),
            _ => None,
        }
    }

    /// With its place decided by the rooms that are known.
    fn placed(mut self, rooms: &HashSet<LineUserId>) -> Self {
        if let Ok(InboundEvent::Message(message)) = self.event {
            self.event = Ok(InboundEvent::Message(
                message.said_in(|channel| rooms.contains(channel)),
            ));
        }
        self
    }
}

/// A button's callback names a channel also in the person's own talk: it is a room only if one is known by this name, or
/// another callback beside it shows one.
pub(super) fn placed<'a>(
    uow: &mut dyn UnitOfWork,
    batch: &'a [Understood],
) -> Result<Cow<'a, [Understood]>, StoreError> {
    let doubtful = |callback: &Understood| callback.message()?.channel_in_doubt().cloned();
    let channels: Vec<LineUserId> = batch.iter().filter_map(doubtful).collect();
    if channels.is_empty() {
        return Ok(Cow::Borrowed(batch));
    }
    let mut rooms: HashSet<LineUserId> = batch.iter().filter_map(Understood::room_shown).cloned().collect();
    rooms.extend(uow.conversations().rooms_among(&channels)?);
    let placed = batch.iter().cloned().map(|callback| callback.placed(&rooms));
    Ok(placed.collect())
}

/// What a callback does to the line.
#[derive(Clone, Copy)]
pub(super) enum LinkChange {
    Spoke,
    Began,
    Ended,
    None,
}
