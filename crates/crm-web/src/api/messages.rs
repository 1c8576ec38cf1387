//! `/api/v1/customers/{id}/messages` and `/api/v1/messages`.

use crm_domain::error::Error;
use crm_domain::id::Id;
use crm_domain::idempotency::Answer;
use crm_domain::sends::Send;
use crm_domain::values::MessageText;
use poem::http::StatusCode;
use poem_openapi::param::{Header, Path};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::BASE;
use super::fields::Fields;
use super::repeating::{self, Answered, repeat};
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

fn answered(send: &Send) -> Answer {
    let location = format!("{BASE}/messages/{}", send.id);
    repeating::answer(StatusCode::ACCEPTED, location, &Message::from(send.clone()))
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
        /// The same key sends once, and is answered the same for 24 hours: 1 to 255 visible ASCII characters.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        message: Fields<NewMessage>,
    ) -> poem::Result<Answered<Message, 202>> {
        let text = MessageText::new(&message.data.text).map_err(|problem| Error::field("text", problem));
        let text = text.map_err(Failure::from)?;
        let path = format!("{BASE}/customers/{}/messages", id.0);
        let repeat = repeat(&writer.by, path, key.0.as_deref(), message.hash, answered)?;
        let queued = app
            .crm
            .queue_message_once(&writer.by.actor, Id::new(id.0), text, repeat)
            .await
            .map_err(Failure::from)?;
        app.signals.message_queued();
        Ok(Answered::new(queued, answered))
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
