//! Drafts and unread marks: what each member has typed and seen.

use super::Crm;
use super::customers::found;
use super::notes::open;
use super::sight::Reader;
use crate::conversations::ConversationId;
use crate::customers::CustomerId;
use crate::drafts::{DRAFT_MAX, Draft};
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::permissions::{Action, Actor};
use crate::ports::store::{ReadUnit, StoreExt};
use crate::values::Problem;
use crate::values::normalise::legible;

impl Crm {
    /// What the member left in the composer of this customer's conversation; one draft for all who carry the same id.
    pub async fn draft(&self, actor: &Actor, customer: CustomerId) -> Result<Option<Draft>, Error> {
        self.may(actor, Action::ViewRecords)?;
        let Some(me) = actor.member_id() else {
            return Ok(None);
        };
        let reader = Reader::of(actor);
        let read = move |unit: &mut dyn ReadUnit| {
            let user = found(unit, customer, reader)?.customer.details.line_user_id;
            let talks = unit.conversations().conversations_with(&Vec::from_iter(user))?;
            let mut drafts = Vec::new();
            for talk in talks {
                drafts.extend(unit.drafts().draft(talk.id, me)?);
            }
            Ok(drafts.into_iter().max_by_key(|draft| draft.updated_at))
        };
        self.ports.store.read(read).await
    }

    /// Keeps what a member types; an empty text keeps nothing. Without a LINE WORKS user id or bot there is no conversation
    /// to keep it in: [`Error::NoAddress`].
    pub async fn keep_draft(&self, actor: &Actor, customer: CustomerId, text: String) -> Result<(), Error> {
        self.may(actor, Action::SendMessages)?;
        let Some(me) = actor.member_id() else {
            return Ok(());
        };
        if text.chars().count() > DRAFT_MAX {
            return Err(Error::field("message", Problem::TooLong { max: DRAFT_MAX }));
        }
        let text = legible(&text);
        let messenger = self.ports.messengers.line_works().ok_or(Error::NoAddress)?;
        let (bot, at, reader) = (messenger.bot(), self.now(), Reader::of(actor));
        self.change_again(move |uow| {
            let user = found(uow, customer, reader)?.customer.details.line_user_id;
            let id = open(uow, &user.ok_or(Error::NoAddress)?, &bot, at)?;
            Ok(uow.edit_drafts().keep_draft(id, me, text.trim_end(), at)?)
        })
        .await
    }

    /// What was sent is no draft any more; what was typed since stays.
    pub async fn drop_draft(&self, actor: &Actor, customer: CustomerId, sent: String) -> Result<(), Error> {
        self.may(actor, Action::SendMessages)?;
        let Some(me) = actor.member_id() else {
            return Ok(());
        };
        let (at, reader, sent) = (self.now(), Reader::of(actor), legible(&sent));
        self.change_again(move |uow| {
            let user = found(uow, customer, reader)?.customer.details.line_user_id;
            for talk in uow.conversations().conversations_with(&Vec::from_iter(user))? {
                let kept = uow.drafts().draft(talk.id, me)?;
                if kept.is_some_and(|draft| draft.text == sent.trim_end()) {
                    uow.edit_drafts().keep_draft(talk.id, me, "", at)?;
                }
            }
            Ok(())
        })
        .await
    }

    /// The member has seen everything in this conversation.
    pub async fn mark_read(&self, actor: &Actor, id: ConversationId) -> Result<(), Error> {
        self.may(actor, Action::ViewRecords)?;
        let Some(me) = actor.member_id() else {
            return Ok(());
        };
        let (at, reader) = (self.now(), Reader::of(actor));
        self.change_again(move |uow| {
            reader.talk(uow, id)?;
            if uow.edit_reads().mark_read(id, me)? {
                let event = NewEvent::new(EventKind::Conversation, at)
                    .conversation(id)
                    .only_for(me);
                uow.edit_events().add_events(&[event])?;
            }
            Ok(())
        })
        .await
    }
}
