//! The addresses of the service.

use crate::answers::Refusal;
use crate::server::App;
use crate::state::Shared;
use poem::{EndpointExt as _, Route, get, post};
use std::sync::Arc;

mod attachments;
mod bots;
mod control;
mod members;
mod messages;
mod token;
mod users;

/// Where uploads and downloads of file bytes live, as on the service's storage host.
pub(crate) const STORAGE: &str = "/storage";

pub(crate) fn app(shared: Arc<Shared>) -> App {
    Route::new()
        .at("/oauth2/v2.0/token", post(token::issue))
        .at("/oauth2/v2.0/revoke", post(token::revoke))
        .nest("/v1.0", api())
        .at("/storage/upload/:file_id/:name", post(attachments::upload))
        .at("/storage/download/:file_id", get(attachments::download))
        .nest("/sim", sim())
        .data(shared)
        .catch_all_error(
            |error: poem::Error| async move { Refusal::of_status(error.status()).into_response() },
        )
        .map_to_response()
        .boxed()
}

fn api() -> Route {
    Route::new()
        .at("/bots/:bot_id", get(bots::show).put(bots::put).patch(bots::patch))
        .at("/bots/:bot_id/users/:user_id/messages", post(messages::to_user))
        .at(
            "/bots/:bot_id/channels/:channel_id/messages",
            post(messages::to_channel),
        )
        .at("/bots/:bot_id/attachments", post(attachments::announce))
        .at("/bots/:bot_id/attachments/:file_id", get(attachments::locate))
        .at("/users", get(users::list))
        .at("/users/:user_id", get(users::show))
}

fn sim() -> Route {
    Route::new()
        .at("/callbacks", post(control::send_callback))
        .at("/messages", get(control::messages))
        .at("/members", get(members::list).post(members::add))
        .at("/scopes", get(members::scopes).put(members::tick))
        .at("/faults", post(control::plan_fault).delete(control::clear_faults))
}
