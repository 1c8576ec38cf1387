//! The callback's door: keeps what LINE WORKS sends and answers at once. What it means is found out afterwards.

use std::time::Duration;

use bytes::Bytes;
use crm_domain::error::Error;
use crm_domain::ports::callbacks::{CallbackHeaders, CallbackRefused};
use crm_domain::use_cases::Received;
use poem::http::{HeaderMap, Method, StatusCode, header};
use poem::{Request, Response};

use crate::flood::Flood;
use crate::problem::causes;
use crate::server::{BodyRefused, Caller};
use crate::state::App;

/// Where LINE WORKS sends callbacks.
pub const PATH: &str = "/webhook";

/// How long the database may take. LINE WORKS does not ask twice, so there is some patience in it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers a callback: 200 to everything, but for bodies too large, addresses not allowed, and when it can be kept
/// nowhere.
pub async fn answer(app: &App, mut request: Request, caller: Option<Caller>) -> Response {
    if request.method() != Method::POST {
        return Response::builder()
            .status(StatusCode::METHOD_NOT_ALLOWED)
            .header(header::ALLOW, "POST")
            .finish();
    }
    if let Some(refused) = request.extensions().get::<BodyRefused>() {
        tracing::warn!("callback refused: {refused}");
        return status(refused.status());
    }
    let networks = &app.settings.callback_networks;
    if !networks.is_empty() && !caller.is_some_and(|caller| networks.contains(caller.address)) {
        tracing::warn!("callback from an address that is not allowed");
        return status(StatusCode::FORBIDDEN);
    }
    let Ok(body) = request.take_body().into_bytes().await else {
        return status(StatusCode::BAD_REQUEST);
    };
    keep(app, request.headers(), body).await
}

async fn keep(app: &App, headers: &HeaderMap, body: Bytes) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let proof = CallbackHeaders {
        bot_id: text("x-works-botid"),
        signature: text("x-works-signature"),
    };
    let kept = tokio::time::timeout(PATIENCE, app.crm.receive_callback(proof, &body)).await;
    match kept {
        Ok(Ok(received)) => {
            note(app, received, body.len());
            Response::default()
        }
        Ok(Err(error)) => unkept(&error),
        Err(_) => {
            tracing::error!(
                "callback not kept in time: the database is busy; it is kept all the same if that ends at once"
            );
            status(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

fn note(app: &App, received: Received, bytes: usize) {
    match received {
        Received::Kept(id) => {
            tracing::debug!("callback {id} kept, {bytes} bytes");
            app.signals.callback_kept();
        }
        Received::Duplicate => tracing::info!("callback came twice, {bytes} bytes"),
        Received::Refused(refused) => ignored(refused),
    }
}

/// Anybody can send these, so they are told to some number only.
fn ignored(refused: CallbackRefused) {
    static FLOOD: Flood = Flood::new(20);
    let Some(held) = FLOOD.pass() else { return };
    if held > 0 {
        tracing::warn!("{held} more callbacks ignored");
    }
    if refused == CallbackRefused::NotConfigured {
        tracing::warn!(
            "callback ignored: LINE WORKS is not set up (LINE_WORKS_BOT_ID, LINE_WORKS_BOT_SECRET)"
        );
    } else {
        tracing::warn!("callback ignored: {refused}");
    }
}

fn unkept(error: &Error) -> Response {
    tracing::error!("callback not kept: {}", causes(error));
    status(StatusCode::SERVICE_UNAVAILABLE)
}

fn status(status: StatusCode) -> Response {
    Response::builder().status(status).finish()
}
