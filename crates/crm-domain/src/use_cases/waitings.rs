//! What messages mean for whoever waits for us: where their conversation stands afterwards.
//!
//! Who changes a conversation and its waiting writes the conversation first, and of several the one with the lowest number:
//! whoever meets another there waits for it, instead of each for the other.

use std::collections::HashMap;

use time::Duration;

use crate::activities::{Direction, MessageKind};
use crate::conversations::{Conversation, ConversationId, ConversationKind, LinkState};
use crate::customers::CustomerId;
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::instant::Instant;
use crate::members::MemberId;
use crate::ports::store::{StoreError, UnitOfWork};
use crate::sends::Send;
use crate::standings::{LastMessage, Standing};
use crate::teams::Visible;
use crate::waitings::{Ended, WaitingEnd};

/// LINE WORKS tells the time of an answer in whole seconds, that of a message to the millisecond.
const SECOND: i64 = 1_000;

/// A message that was accepted this long after it was written, by whichever clock, stands where it was accepted.
const MOVED: Duration = Duration::minutes(1);

/// One conversation, or the error that says there is none.
pub(super) fn talk(uow: &mut dyn UnitOfWork, id: ConversationId) -> Result<Conversation, Error> {
    uow.conversations()
        .conversation(id)?
        .ok_or(Error::NotFound("conversation"))
}

/// Stores where a conversation stands and tells open pages.
pub(super) fn stand(
    uow: &mut dyn UnitOfWork,
    id: ConversationId,
    standing: Standing,
    at: Instant,
) -> Result<(), Error> {
    let event = NewEvent::new(EventKind::Conversation, at)
        .conversation(id)
        .customer(standing.customer_id);
    uow.edit_conversations().save_standings(&[(id, standing)])?;
    Ok(uow.edit_events().add_events(&[event])?)
}

/// LINE WORKS accepted a message: the line to the person works, and who waited does so no longer.
pub(super) fn accepted(uow: &mut dyn UnitOfWork, send: &Send, at: Instant) -> Result<(), Error> {
    answered(uow, send, at, WaitingEnd::Answered, send.author.member_id)
}

/// A person takes an unconfirmed message as sent.
pub(super) fn taken_as_sent(
    uow: &mut dyn UnitOfWork,
    send: &Send,
    by: Option<MemberId>,
    at: Instant,
) -> Result<(), Error> {
    answered(uow, send, at, WaitingEnd::TakenAsSent, by)
}

fn answered(
    uow: &mut dyn UnitOfWork,
    send: &Send,
    at: Instant,
    how: WaitingEnd,
    by: Option<MemberId>,
) -> Result<(), Error> {
    let id = send.conversation_id;
    uow.edit_conversations().set_link(id, LinkState::Active, at)?;
    let Conversation { mut standing, .. } = talk(uow, id)?;
    let at = behind_what_was_said(&standing, at);
    move_to_acceptance(uow, &mut standing, send, at)?;
    let later = said_after(uow, id, &standing, at)?;
    let has_ended = standing.accept(at, later);
    stand(uow, id, standing, at)?;
    if has_ended {
        let ended = Ended {
            until: at,
            how,
            by,
            first_response_at: Some(at),
        };
        uow.edit_waitings().end_waiting(id, &ended)?;
        if let Some(since) = later {
            uow.edit_waitings().note_waiting(id, since)?;
        }
    }
    Ok(())
}

/// What was said within the second in which we were answered was said before.
fn behind_what_was_said(standing: &Standing, at: Instant) -> Instant {
    let whole = at.unix_millis() % SECOND == 0;
    let said = standing.last_said_at.map_or(0, Instant::unix_millis);
    if whole && (0..SECOND).contains(&(said - at.unix_millis())) {
        Instant::from_unix_millis(said + 1)
    } else {
        at
    }
}

/// A message that waited long, or was written while our clock was wrong, is moved to the time when it was accepted.
fn move_to_acceptance(
    uow: &mut dyn UnitOfWork,
    standing: &mut Standing,
    send: &Send,
    at: Instant,
) -> Result<(), StoreError> {
    if at.since(send.queued_at).abs() <= MOVED {
        return Ok(());
    }
    uow.edit_activities().retime_send(send.id, at)?;
    let last = standing.last.as_mut();
    if let Some(last) = last.filter(|last| last.direction == Direction::Sent) {
        last.at = at;
    }
    Ok(())
}

/// The oldest message said after `at`, if there can be one.
fn said_after(
    uow: &mut dyn UnitOfWork,
    id: ConversationId,
    standing: &Standing,
    at: Instant,
) -> Result<Option<Instant>, StoreError> {
    let newest = standing.last_said_at.filter(|said| *said > at);
    let Some(newest) = newest else { return Ok(None) };
    // Of people who are no customers only the newest time is at hand.
    Ok(uow.activities().received_after(id, at)?.or(Some(newest)))
}

/// A message of ours changed its state: whether something of this conversation is in trouble is looked at again.
pub(super) fn review_trouble(uow: &mut dyn UnitOfWork, id: ConversationId, at: Instant) -> Result<(), Error> {
    let Conversation { mut standing, .. } = talk(uow, id)?;
    let troubled = uow.sends().troubled_sends(id)? > 0;
    if troubled == standing.troubled_since.is_some() {
        return Ok(());
    }
    standing.troubled_since = troubled.then_some(at);
    stand(uow, id, standing, at)
}

/// Messages left the pages or came back: lists show the newest that stands.
pub(super) fn review_last(uow: &mut dyn UnitOfWork, id: ConversationId, at: Instant) -> Result<(), Error> {
    let Conversation { mut standing, .. } = talk(uow, id)?;
    // What strangers said stands on no page.
    if standing.customer_id.is_none() {
        return Ok(());
    }
    let last = uow.activities().last_message(id)?;
    if last == standing.last {
        return Ok(());
    }
    standing.last = last;
    stand(uow, id, standing, at)
}

/// We say something: it stands after everything said before. Says at which time.
pub(super) fn said_by_us(
    uow: &mut dyn UnitOfWork,
    id: ConversationId,
    customers: &[CustomerId],
    text: &str,
    now: Instant,
) -> Result<Instant, Error> {
    let Conversation { mut standing, .. } = talk(uow, id)?;
    let at = standing.after_everything(now);
    standing.note_last(LastMessage::new(at, Direction::Sent, MessageKind::Text, text));
    belongs_to(uow, &mut standing, customers)?;
    stand(uow, id, standing, now)?;
    Ok(at)
}

/// The oldest customer who carries the address, its owner and its team; only looked up when that changes.
pub(super) fn belongs_to(
    uow: &mut dyn UnitOfWork,
    standing: &mut Standing,
    customers: &[CustomerId],
) -> Result<(), StoreError> {
    let first = customers.first().copied();
    if standing.customer_id == first {
        return Ok(());
    }
    let line = first
        .map(|id| uow.customers().customer(id, &Visible::All))
        .transpose()?
        .flatten();
    standing.customer_id = first;
    standing.owner_id = line.as_ref().and_then(|line| line.customer.owner_id);
    standing.team_id = line.and_then(|line| line.customer.team_id);
    Ok(())
}

/// The conversations of a batch of callbacks and what the batch changes of them.
pub(super) struct Talks {
    talks: HashMap<ConversationId, Conversation>,
    waiting: Vec<ConversationId>,
}

impl Talks {
    pub(super) fn load(uow: &mut dyn UnitOfWork, ids: &[ConversationId]) -> Result<Self, StoreError> {
        let found = uow.conversations().conversations_by_id(ids)?;
        Ok(Self {
            talks: found.into_iter().map(|talk| (talk.id, talk)).collect(),
            waiting: Vec::new(),
        })
    }

    /// Somebody said something in this conversation; says whether it came late. In rooms nobody waits for us.
    pub(super) fn hear(&mut self, id: ConversationId, at: Instant, kind: MessageKind, text: &str) -> bool {
        let Some(talk) = self.talks.get_mut(&id) else {
            return false;
        };
        if talk.key.kind == ConversationKind::Room {
            let last = LastMessage::new(at, Direction::Received, kind, text);
            talk.standing.note_last(last);
            return false;
        }
        let heard = talk.standing.hear(at, kind, text);
        if heard.waits_since.is_some() && !self.waiting.contains(&id) {
            self.waiting.push(id);
        }
        heard.late
    }

    /// The customers who carry the address of this conversation.
    pub(super) fn belongs_to(
        &mut self,
        uow: &mut dyn UnitOfWork,
        id: ConversationId,
        customers: &[CustomerId],
    ) -> Result<(), StoreError> {
        match self.talks.get_mut(&id) {
            Some(talk) if talk.key.kind == ConversationKind::Person => {
                belongs_to(uow, &mut talk.standing, customers)
            }
            _ => Ok(()),
        }
    }

    /// Stores what changed.
    pub(super) fn save(self, uow: &mut dyn UnitOfWork) -> Result<(), StoreError> {
        let mut standings: Vec<_> = self
            .talks
            .into_iter()
            .map(|(id, talk)| (id, talk.standing))
            .collect();
        standings.sort_by_key(|(id, _)| *id);
        uow.edit_conversations().save_standings(&standings)?;
        for (id, standing) in standings {
            if let Some(since) = standing.waiting_since.filter(|_| self.waiting.contains(&id)) {
                uow.edit_waitings().note_waiting(id, since)?;
            }
        }
        Ok(())
    }
}
