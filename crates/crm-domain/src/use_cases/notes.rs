//! Notes (社内メモ): written into a conversation for each other, on the page of every customer who carries its address.

use super::Crm;
use super::customers::found;
use super::events::announce_messages;
use super::sight::Reader;
use crate::activities::{Direction, MessageKind, NewActivity};
use crate::audit::{Act, Deed, Did};
use crate::conversations::{ConversationId, ConversationKey, ConversationKind};
use crate::customers::CustomerId;
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::instant::Instant;
use crate::notes::{NewNote, NoteId};
use crate::permissions::{Action, Actor};
use crate::ports::store::UnitOfWork;
use crate::sends::Author;
use crate::values::{LineUserId, MessageText};

impl Crm {
    /// Writes a note on a customer's page. The same `key` of the same author is kept once, however often it comes.
    pub async fn write_note(
        &self,
        actor: &Actor,
        customer: CustomerId,
        text: MessageText,
        key: Option<String>,
    ) -> Result<(), Error> {
        self.may(actor, Action::EditRecords)?;
        let author = actor.author();
        let key = self.own_key(actor, key)?;
        let reader = Reader::of(actor);
        let bot = self
            .ports
            .messengers
            .line_works()
            .map(|messenger| messenger.bot());
        self.act_again(self.trace(actor), move |uow, at| {
            let user = found(uow, customer, reader)?.customer.details.line_user_id;
            let conversation = match (user, &bot) {
                (Some(user), Some(bot)) => Some(open(uow, &user, bot, at)?),
                _ => None,
            };
            let written = write_note(uow, conversation, Some(customer), (&key, &author, &text), at)?;
            Ok(written.map_or(Did::nothing(()), |id| {
                Deed::on(Act::NoteWritten, id).about(customer).gives(())
            }))
        })
        .await
    }
}

/// The conversation with a person by a bot.
pub(super) fn open(
    uow: &mut dyn UnitOfWork,
    user: &LineUserId,
    bot: &str,
    at: Instant,
) -> Result<ConversationId, Error> {
    let key = ConversationKey {
        bot: bot.to_owned(),
        address: user.clone(),
        kind: ConversationKind::Person,
    };
    let opened = uow.edit_conversations().open_conversations(&[key], at)?;
    opened.first().copied().ok_or(Error::NotFound("conversation"))
}

/// Keeps a note (key, author, text; `None` if it was kept before) and shows it on the page of every customer concerned, after everything said before.
pub(super) fn write_note(
    uow: &mut dyn UnitOfWork,
    conversation: Option<ConversationId>,
    customer: Option<CustomerId>,
    (key, author, text): (&str, &Author, &MessageText),
    at: Instant,
) -> Result<Option<NoteId>, Error> {
    let (written_at, customers) = place(uow, conversation, customer, at)?;
    let note = NewNote {
        key: key.to_owned(),
        conversation_id: conversation,
        customer_id: customer,
        author: author.clone(),
        text: text.clone(),
        written_at,
    };
    let Some(note) = uow.edit_notes().add_note(&note)? else {
        return Ok(None);
    };
    let rows: Vec<NewActivity> = customers
        .iter()
        .map(|customer| NewActivity {
            customer_id: *customer,
            conversation_id: conversation,
            receipt_id: None,
            send_id: None,
            note_id: Some(note),
            direction: Direction::Note,
            kind: MessageKind::Text,
            message: text.as_str().to_owned(),
            detail: None,
            timestamp: written_at,
            late: false,
        })
        .collect();
    uow.edit_activities().add_activities(&rows)?;
    if let Some(id) = conversation {
        announce_messages(uow, &[(id, customers.into_iter().collect())].into(), at)?;
    } else {
        let event = NewEvent::new(EventKind::Message, at).customer(customer);
        uow.edit_events().add_events(&[event])?;
    }
    Ok(Some(note))
}

/// When it stands in the talk, and on whose pages.
fn place(
    uow: &mut dyn UnitOfWork,
    conversation: Option<ConversationId>,
    customer: Option<CustomerId>,
    at: Instant,
) -> Result<(Instant, Vec<CustomerId>), Error> {
    let Some(id) = conversation else {
        return Ok((at, customer.into_iter().collect()));
    };
    let talk = super::waitings::talk(uow, id)?;
    let carrying = uow
        .customers()
        .customers_carrying(std::slice::from_ref(&talk.key.address))?;
    let customers = carrying.into_iter().map(|(_, customer)| customer).collect();
    Ok((talk.standing.after_everything(at), customers))
}
