//! `/api/v1/customers/{id}/messages` and `/api/v1/messages`.

use crm_domain::error::Error;
use crm_domain::id::Id;
use crm_domain::sends::{Queued, Send};
use crm_domain::use_cases::Recipient;
use crm_domain::values::MessageText;
use poem_openapi::param::{Header, Path};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::BASE;
use crate::auth::{Signed, Writer};
use crate::problem::Failure;
use crate::state::App;

/// A message to be sent.
#[derive(Debug, Object)]
pub(super) struct NewMessage {
    /// 1 to 2,000 characters.
    text: String,
}

/// A message of ours.
#[derive(Debug, Object)]
pub(super) struct Message {
    id: i64,
    text: String,
    /// The person on LINE WORKS.
    line_user_id: String,
    /// `queued`, `sending`, `sent` (LINE WORKS accepted it), `failed`, or `unknown` (it may have arrived).
    state: String,
    /// Why it waits, failed or is unknown; `treated` when a person called it sent, `cancelled` when one took it back.
    reason: Option<String>,
    /// Who sent it, as shown.
    author: String,
    /// UTC with milliseconds.
    queued_at: String,
    /// When it is tried again, for one that was tried in vain and waits.
    next_try_at: Option<String>,
    /// When its state became final.
    finished_at: Option<String>,
}

impl From<Send> for Message {
    fn from(send: Send) -> Self {
        Self {
            id: send.id.get(),
            text: send.text,
            line_user_id: send.to.address.as_str().to_owned(),
            state: send.state.code().to_owned(),
            reason: send.reason,
            author: send.author.name,
            queued_at: send.queued_at.to_string(),
            next_try_at: send.next_try_at.map(|at| at.to_string()),
            finished_at: send.finished_at.map(|at| at.to_string()),
        }
    }
}

/// What is answered to who wants something sent.
#[derive(ApiResponse)]
pub(super) enum Taken {
    /// It is on disk and will be sent in its turn; its address tells how far it got.
    #[oai(status = 202)]
    Queued(
        Json<Message>,
        /// The message's address.
        #[oai(header = "Location")]
        String,
        /// `true` when the same key came before.
        #[oai(header = "Idempotency-Replayed")]
        Option<bool>,
    ),
}

pub(super) struct Messages;

#[OpenApi]
impl Messages {
    /// Sends a message to a customer. The answer does not wait for LINE WORKS.
    #[oai(
        path = "/customers/:id/messages",
        method = "post",
        operation_id = "sendMessage"
    )]
    async fn send(
        &self,
        app: App,
        writer: Writer,
        #[oai(validator(minimum(value = "1")))] id: Path<i64>,
        /// The same key sends once, however often it comes: up to 80 characters.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        message: Json<NewMessage>,
    ) -> poem::Result<Taken> {
        let text = MessageText::new(&message.0.text).map_err(|problem| Error::field("text", problem));
        let to = Recipient::Customer(Id::new(id.0));
        let key = key.0.map(|key| format!("api-{}-{}", id.0, key.trim()));
        let actor = &writer.by.actor;
        let text = text.map_err(Failure::from)?;
        let queued = app.crm.queue_message(actor, to, text, key).await;
        let queued = queued.map_err(Failure::from)?;
        app.signals.message_queued();
        let send = app.crm.show_send(actor, queued.id()).await;
        let message = Message::from(send.map_err(Failure::from)?);
        let address = format!("{BASE}/messages/{}", message.id);
        let replayed = matches!(queued, Queued::Existed(_)).then_some(true);
        Ok(Taken::Queued(Json(message), address, replayed))
    }

    /// How far a message of ours got.
    #[oai(path = "/messages/:id", method = "get", operation_id = "showMessage")]
    async fn show(
        &self,
        app: App,
        by: Signed,
        #[oai(validator(minimum(value = "1")))] id: Path<i64>,
    ) -> poem::Result<Json<Message>> {
        let send = app.crm.show_send(&by.actor, Id::new(id.0)).await;
        Ok(Json(send.map_err(Failure::from)?.into()))
    }
}
