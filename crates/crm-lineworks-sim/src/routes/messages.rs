//! `POST /bots/{botId}/users/{userId}/messages` and `…/channels/{channelId}/messages`.

use crate::answers::Refusal;
use crate::content;
use crate::gate::Operation;
use crate::json_body::{self, JSON_LIMIT};
use crate::outbox::Recipient;
use crate::routes::{bots, users};
use crate::state::Shared;
use poem::http::{HeaderMap, StatusCode};
use poem::web::{Data, Path};
use poem::{Body, Request, Response, handler};
use serde_json::Value;
use std::sync::Arc;
use time::OffsetDateTime;

const TO_USER: Operation = Operation {
    name: "bot-user-message-send",
    scopes: &["bot", "bot.message"],
};
const TO_CHANNEL: Operation = Operation {
    name: "bot-channel-message-send",
    scopes: &["bot", "bot.message"],
};

#[handler]
pub(super) async fn to_user(
    Data(shared): Data<&Arc<Shared>>,
    request: &Request,
    Path((bot_id, user_id)): Path<(String, String)>,
    body: Body,
) -> Response {
    let body = json_body::read(body, JSON_LIMIT).await;
    TO_USER.run(shared, request, |now| {
        bots::published(shared, &bot_id)?;
        let content = read_content(shared, request.headers(), &body?, now)?;
        let user_id = users::reachable(shared, &user_id)?;
        Ok(accept(shared, now, Recipient::User(user_id), content))
    })
}

#[handler]
pub(super) async fn to_channel(
    Data(shared): Data<&Arc<Shared>>,
    request: &Request,
    Path((bot_id, channel_id)): Path<(String, String)>,
    body: Body,
) -> Response {
    let body = json_body::read(body, JSON_LIMIT).await;
    TO_CHANNEL.run(shared, request, |now| {
        bots::published(shared, &bot_id)?;
        let content = read_content(shared, request.headers(), &body?, now)?;
        if shared.lock().lost_channels.contains(&channel_id) {
            return Err(Refusal::not_found("Channel not found."));
        }
        Ok(accept(shared, now, Recipient::Channel(channel_id), content))
    })
}

fn read_content(
    shared: &Shared,
    headers: &HeaderMap,
    body: &[u8],
    now: OffsetDateTime,
) -> Result<Value, Refusal> {
    let message = json_body::object(headers, body)?;
    content::check(&message, &|file_id| {
        shared.lock().attachments.get(file_id, now).is_some()
    })
}

fn accept(shared: &Shared, now: OffsetDateTime, to: Recipient, content: Value) -> Response {
    shared.accept_message(now, to, content);
    StatusCode::CREATED.into()
}
