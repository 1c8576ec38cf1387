//! `GET`, `PUT` and `PATCH /bots/{botId}`.

use crate::answers::{Refusal, json_answer};
use crate::bot::BotSetup;
use crate::gate::Operation;
use crate::json_body;
use crate::state::Shared;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, handler};
use std::sync::Arc;

const GET: Operation = Operation {
    name: "bot-get",
    scopes: &["bot", "bot.read"],
};
const PATCH: Operation = Operation {
    name: "bot-update-patch",
    scopes: &["bot"],
};
const PUT: Operation = Operation {
    name: "bot-update",
    scopes: &["bot"],
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
        Ok(told(shared))
    })
}

/// Replaces what is given and keeps the rest.
#[handler]
pub(super) async fn patch(
    Data(shared): Data<&Arc<Shared>>,
    request: &Request,
    Path(bot_id): Path<String>,
    body: Body,
) -> Response {
    let body = json_body::read(body, json_body::JSON_LIMIT).await;
    PATCH.run(shared, request, |_| {
        known(shared, &bot_id)?;
        let given = json_body::object(request.headers(), &body?)?;
        let mut state = shared.lock();
        state.bot = state.bot.clone().patched(&given)?;
        drop(state);
        Ok(told(shared))
    })
}

/// Replaces everything: what is not given falls back to its default.
#[handler]
pub(super) async fn put(
    Data(shared): Data<&Arc<Shared>>,
    request: &Request,
    Path(bot_id): Path<String>,
    body: Body,
) -> Response {
    let body = json_body::read(body, json_body::JSON_LIMIT).await;
    PUT.run(shared, request, |_| {
        known(shared, &bot_id)?;
        let given = json_body::object(request.headers(), &body?)?;
        shared.lock().bot = BotSetup::replaced(&given)?;
        Ok(told(shared))
    })
}

fn told(shared: &Shared) -> Response {
    let bot = shared.lock().bot.told(&shared.config);
    json_answer(StatusCode::OK, &bot)
}
