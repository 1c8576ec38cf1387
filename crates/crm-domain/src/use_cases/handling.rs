//! Handling (対応): who has a conversation now. A sign, not a wall: nobody is kept from answering, but asked once.

use time::Duration;

use super::Crm;
use super::notes::write_note;
use super::sight::Reader;
use super::waitings::stand;
use crate::activities::ActivityId;
use crate::audit::{Act, Deed, Did};
use crate::conversations::{Conversation, ConversationId, ConversationKind};
use crate::customers::CustomerId;
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::instant::Instant;
use crate::members::{Member, MemberId, Role};
use crate::permissions::{Action, Actor};
use crate::ports::store::{ReadUnit, StoreExt, UnitOfWork};
use crate::sends::Author;
use crate::standings::Standing;
use crate::values::{MessageText, Problem};
use crate::waitings::{Ended, WaitingEnd};

/// How long a closing can be undone. Pages offer it for ten seconds; the rest is for slow lines.
const UNDO: Duration = Duration::seconds(60);

/// Why it may be wise not to answer a customer now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elsewhere {
    /// Another member has the conversation.
    Handled {
        /// Who.
        by: String,
    },
    /// Another member answered after what the writer has seen.
    Answered {
        /// Who.
        by: String,
        /// When.
        at: Instant,
    },
}

impl Crm {
    /// 自分が対応する: of many at once one gets it, and the others [`Error::HandledBy`]. Once more changes nothing.
    pub async fn take_conversation(&self, actor: &Actor, id: ConversationId) -> Result<(), Error> {
        self.may(actor, Action::HandleConversations)?;
        let me = handler(actor)?;
        let reader = Reader::of(actor);
        self.act(actor, Action::HandleConversations, move |uow, at| {
            let mut standing = person(uow, id, reader)?.standing;
            match standing.handler_id {
                Some(other) if other != me => Err(Error::HandledBy(name_of(uow, other)?)),
                Some(_) => Ok(Did::nothing(())),
                None => {
                    standing.hand_to(Some(me), at);
                    uow.edit_reads().mark_read(id, me)?;
                    let deed = handled(Act::ConversationTaken, id, &standing, None);
                    stand(uow, id, standing, at)?;
                    Ok(deed.gives(()))
                }
            }
        })
        .await
    }

    /// 対応をやめる: nobody has it then. It may be taken away from another member, who learns of it.
    pub async fn release_conversation(&self, actor: &Actor, id: ConversationId) -> Result<(), Error> {
        let me = actor.member_id();
        let reader = Reader::of(actor);
        self.act(actor, Action::HandleConversations, move |uow, at| {
            let mut standing = person(uow, id, reader)?.standing;
            let Some(handler) = standing.handler_id else {
                return Ok(Did::nothing(()));
            };
            standing.hand_to(None, at);
            if Some(handler) != me {
                notice(uow, id, handler, at)?;
            }
            let deed = handled(Act::ConversationReleased, id, &standing, Some(handler));
            stand(uow, id, standing, at)?;
            Ok(deed.gives(()))
        })
        .await
    }

    /// 引き継ぐ: another member has it then and learns of it; the note stands in the conversation.
    pub async fn hand_over_conversation(
        &self,
        actor: &Actor,
        id: ConversationId,
        to: MemberId,
        note: Option<MessageText>,
    ) -> Result<(), Error> {
        let author = actor.author();
        let key = self.ports.secrets.token();
        let reader = Reader::of(actor);
        self.act(actor, Action::HandleConversations, move |uow, at| {
            let mut standing = person(uow, id, reader)?.standing;
            let member = uow.members().member(to)?.filter(can_handle);
            let member = member.ok_or(Error::field("to", Problem::Missing))?;
            sees(uow, id, &member)?;
            if let Some(text) = &note {
                write_note(uow, Some(id), None, (&key, &author, text), at)?;
                // The note changed what was said last.
                standing = person(uow, id, reader)?.standing;
            }
            let before = standing.handler_id;
            standing.hand_to(Some(to), at);
            if author.member_id != Some(to) {
                notice(uow, id, to, at)?;
            }
            let deed = handled(Act::ConversationHandedOver, id, &standing, before);
            stand(uow, id, standing, at)?;
            Ok(deed.gives(()))
        })
        .await
    }

    /// Who can take over a conversation that the actor sees.
    pub async fn takers_over(
        &self,
        actor: &Actor,
        id: ConversationId,
    ) -> Result<Vec<(MemberId, String)>, Error> {
        let reader = Reader::of(actor);
        let colleagues = self.colleagues(actor).await?;
        let talk = self.ports.store.read(move |unit| person(unit, id, reader));
        talk.await.map(|_| colleagues)
    }

    /// Who can be handed a conversation: every active member who may do more than look, by name.
    pub async fn colleagues(&self, actor: &Actor) -> Result<Vec<(MemberId, String)>, Error> {
        self.may(actor, Action::HandleConversations)?;
        let members = self
            .ports
            .store
            .read(|unit| Ok::<_, Error>(unit.members().members()?));
        let active = members.await?.into_iter().filter(can_handle);
        Ok(active.map(|member| (member.id, member.name)).collect())
    }

    /// 対応済みにする, 返信不要: nobody has it, nobody waits, what was in trouble was looked at.
    pub async fn close_conversation(&self, actor: &Actor, id: ConversationId) -> Result<(), Error> {
        let by = actor.member_id();
        let reader = Reader::of(actor);
        self.act(actor, Action::HandleConversations, move |uow, at| {
            let mut standing = person(uow, id, reader)?.standing;
            let ended = Ended {
                until: at,
                how: WaitingEnd::Closed,
                by,
                first_response_at: None,
            };
            let waiting = uow.waitings().open_waiting(id)?;
            let before = standing.handler_id;
            standing.close(by, at, waiting);
            if let Some(me) = by {
                uow.edit_reads().mark_read(id, me)?;
            }
            let deed = handled(Act::ConversationClosed, id, &standing, before);
            stand(uow, id, standing, at)?;
            uow.edit_waitings().end_waiting(id, &ended)?;
            Ok(deed.gives(()))
        })
        .await
    }

    /// 元に戻す: takes a closing of one's own back; [`Error::Stale`] when something was said since, or too late.
    pub async fn undo_closing(&self, actor: &Actor, id: ConversationId) -> Result<(), Error> {
        let me = actor.member_id();
        let reader = Reader::of(actor);
        self.act(actor, Action::HandleConversations, move |uow, at| {
            let mut standing = person(uow, id, reader)?.standing;
            let closed = standing
                .closed
                .take()
                .filter(|closed| closed.by == me && at.since(closed.at) <= UNDO)
                .ok_or(Error::Stale)?;
            if let Some(waiting) = closed.waiting {
                let since = uow.waitings().resumable_waiting(waiting)?;
                standing.waiting_since = Some(since.ok_or(Error::Stale)?);
            }
            standing.hand_to(closed.handler, at);
            let troubled = uow.sends().troubled_sends(id)? > 0;
            standing.troubled_since = troubled.then_some(closed.at);
            let deed = handled(Act::ClosingUndone, id, &standing, None);
            stand(uow, id, standing, at)?;
            if let Some(waiting) = closed.waiting {
                uow.edit_waitings().resume_waiting(waiting)?;
            }
            Ok(deed.gives(()))
        })
        .await
    }

    /// Whether somebody else is about to answer this customer, or has after what the writer saw last (`seen`, a message of
    /// the customer's page). Asked before sending; the answer changes nothing.
    pub async fn answered_elsewhere(
        &self,
        actor: &Actor,
        customer: CustomerId,
        seen: Option<ActivityId>,
    ) -> Result<Option<Elsewhere>, Error> {
        self.may(actor, Action::ViewRecords)?;
        let (author, reader) = (actor.author(), Reader::of(actor));
        self.ports
            .store
            .read(move |unit| elsewhere(unit, &author, reader, customer, seen))
            .await
    }
}

fn elsewhere(
    unit: &mut dyn ReadUnit,
    author: &Author,
    reader: Reader,
    customer: CustomerId,
    seen: Option<ActivityId>,
) -> Result<Option<Elsewhere>, Error> {
    let user = super::customers::found(unit, customer, reader)?
        .customer
        .details
        .line_user_id;
    let Some(user) = user else { return Ok(None) };
    for talk in unit.conversations().conversations_with(&[user])? {
        if let Some(handler) = talk.standing.handler_id
            && Some(handler) != author.member_id
        {
            let by = unit.members().member(handler)?.map(|member| member.name);
            return Ok(by.map(|by| Elsewhere::Handled { by }));
        }
    }
    let Some(seen) = seen else { return Ok(None) };
    let newer = unit
        .activities()
        .activities_added_after(customer, Some(seen), 50)?;
    let answer = newer.into_iter().rev().find_map(|activity| {
        let sending = activity.sending?;
        (sending.author != author.name).then_some(Elsewhere::Answered {
            by: sending.author,
            at: activity.timestamp,
        })
    });
    Ok(answer)
}

/// Only a member can have a conversation.
fn handler(actor: &Actor) -> Result<MemberId, Error> {
    actor.member_id().ok_or(Error::Denied(crate::permissions::Denied(
        Action::HandleConversations,
    )))
}

/// A person's conversation; rooms are on no board.
fn person<U: ReadUnit + ?Sized>(
    unit: &mut U,
    id: ConversationId,
    reader: Reader,
) -> Result<Conversation, Error> {
    let talk = reader.talk(unit, id)?;
    if talk.key.kind == ConversationKind::Person {
        Ok(talk)
    } else {
        Err(Error::NotFound("conversation"))
    }
}

fn can_handle(member: &Member) -> bool {
    member.disabled_at.is_none() && member.role != Role::Viewer
}

/// Who is handed a conversation must see its customer.
fn sees(uow: &mut dyn UnitOfWork, id: ConversationId, member: &Member) -> Result<(), Error> {
    match Reader::member(member.id, member.role).talk(uow, id) {
        Err(Error::NotFound(_)) => Err(Error::field("to", Problem::CannotSee)),
        outcome => outcome.map(|_| ()),
    }
}

/// What the log says of a conversation that changed hands.
fn handled(act: Act, id: ConversationId, now: &Standing, before: Option<MemberId>) -> Deed {
    let [old, new] = [before, now.handler_id].map(|member| member.map(|id| id.to_string()));
    let deed = Deed::on(act, id).about(now.customer_id);
    if old == new {
        deed
    } else {
        deed.value("handler_id", old, new)
    }
}

fn name_of(uow: &mut dyn UnitOfWork, member: MemberId) -> Result<String, Error> {
    let found = uow.members().member(member)?;
    Ok(found.map(|member| member.name).unwrap_or_default())
}

/// Tells one member's pages.
pub(super) fn notice(
    uow: &mut dyn UnitOfWork,
    id: ConversationId,
    member: MemberId,
    at: Instant,
) -> Result<(), Error> {
    let event = NewEvent::new(EventKind::MemberNotice, at)
        .conversation(id)
        .only_for(member);
    Ok(uow.edit_events().add_events(&[event])?)
}
