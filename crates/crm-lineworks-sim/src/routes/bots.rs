//! `GET /bots/{botId}`.

use crate::answers::{Refusal, json_answer};
use crate::gate::Operation;
use crate::state::Shared;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Request, Response, handler};
use serde_json::json;
use std::sync::Arc;

const GET: Operation = Operation {
    name: "bot-get",
    scopes: &["bot", "bot.read"],
};

/// Refuses another bot's id.
pub(super) fn known(shared: &Shared, bot_id: &str) -> Result<(), Refusal> {
    if bot_id == shared.config.bot_id {
        return Ok(());
    }
    Err(Refusal::not_found("Bot not found."))
}

/// Refuses another bot's id, and our bot while it is not published in the tenant.
pub(super) fn published(shared: &Shared, bot_id: &str) -> Result<(), Refusal> {
    known(shared, bot_id)?;
    if shared.config.bot_published {
        Ok(())
    } else {
        Err(Refusal::bot_denied())
    }
}

#[handler]
pub(super) fn show(
    Data(shared): Data<&Arc<Shared>>,
    request: &Request,
    Path(bot_id): Path<String>,
) -> Response {
    GET.run(shared, request, |_| {
        known(shared, &bot_id)?;
        let config = &shared.config;
        let url = shared.lock().callback_url.clone();
        let bot = json!({
            "botId": config.bot_id,
            "botName": config.bot_name,
            "description": "",
            "enableCallback": url.is_some(),
            "callbackUrl": url.unwrap_or_default(),
            "channelEvents": config.channel_events,
            "callbackEvents": ["text", "location", "sticker", "image", "file", "audio", "video"],
            "enableGroupJoin": true,
        });
        Ok(json_answer(StatusCode::OK, &bot))
    })
}
