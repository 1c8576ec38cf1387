//! The callback's door: keeps what LINE WORKS sends and answers at once. What it means is found out afterwards.

use std::net::IpAddr;
use std::time::Duration;

use crm_domain::ports::callbacks::{CallbackHeaders, CallbackRefused};
use crm_domain::use_cases::{Arrival, Detour, Received};
use poem::http::{Method, StatusCode, header};
use poem::{Request, Response};

use crate::flood::Flood;
use crate::problem::causes;
use crate::server::{BodyRefused, Caller};
use crate::state::App;

/// Where LINE WORKS sends callbacks.
pub const PATH: &str = "/webhook";

/// How long the database may take; then the spool is asked. LINE WORKS does not ask twice.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long both together may take.
const LONGEST: Duration = Duration::from_secs(5);

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
        untaken(*refused);
        app.metrics().callback("unreadable");
        return status(refused.status());
    }
    let Ok(body) = request.take_body().into_bytes().await else {
        app.metrics().callback("unreadable");
        return status(StatusCode::BAD_REQUEST);
    };
    let networks = &app.settings.callback_networks;
    let from = caller.map(|caller| caller.address);
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let arrival = Arrival {
        headers: CallbackHeaders {
            bot_id: text("x-works-botid"),
            signature: text("x-works-signature"),
        },
        body: &body,
        from,
        allowed: networks.is_empty() || from.is_some_and(|from| networks.contains(from)),
    };
    let unanswered = app.signals.callback_arrived();
    let response = keep(app, arrival).await;
    drop(unanswered);
    response
}

async fn keep(app: &App, arrival: Arrival<'_>) -> Response {
    let receiving = app.crm.receive_callback(arrival, tokio::time::sleep(PATIENCE));
    match tokio::time::timeout(LONGEST, receiving).await {
        Ok(Ok(received)) => note(app, &received, &arrival),
        Ok(Err(error)) => {
            app.metrics().callback("lost");
            tracing::error!("callback not kept: {}", causes(&error));
            status(StatusCode::SERVICE_UNAVAILABLE)
        }
        Err(_) => {
            app.metrics().callback("lost");
            tracing::error!("callback not kept: neither the database nor the spool answered in time");
            status(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

fn note(app: &App, received: &Received, arrival: &Arrival<'_>) -> Response {
    let bytes = arrival.body.len();
    app.metrics().callback(outcome(received));
    match received {
        Received::Kept(id) => {
            tracing::debug!("callback {id} kept, {bytes} bytes");
            app.signals.callback_kept();
        }
        Received::Spooled(detour) => {
            detoured(detour);
            app.signals.callback_spooled();
        }
        Received::Duplicate => tracing::info!("callback came twice, {bytes} bytes"),
        Received::Refused(refused) => ignored(*refused),
        Received::OtherAddress { signed } => {
            elsewhere(*signed, arrival.from);
            return status(StatusCode::FORBIDDEN);
        }
    }
    Response::default()
}

/// A word of ours for what became of it.
fn outcome(received: &Received) -> &'static str {
    match received {
        Received::Kept(_) => "kept",
        Received::Spooled(_) => "spooled",
        Received::Duplicate => "duplicate",
        Received::Refused(refused) => refused.code(),
        Received::OtherAddress { .. } => "other_address",
    }
}

fn detoured(detour: &Detour) {
    static FLOOD: Flood = Flood::new(1);
    let Some(held) = FLOOD.pass() else { return };
    if held > 0 {
        tracing::warn!("{held} more callbacks kept in the spool");
    }
    tracing::error!(
        "callback kept in the spool, to be taken in when the database is back: {}",
        causes(detour)
    );
}

/// Whoever wants to can send these by the thousand.
fn untaken(refused: BodyRefused) {
    static FLOOD: Flood = Flood::new(5);
    let Some(held) = FLOOD.pass() else { return };
    if held > 0 {
        tracing::warn!("{held} more callbacks refused");
    }
    tracing::warn!("callback refused: {refused}");
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

/// The address of one that is rightly signed is LINE WORKS' own, or a proxy's; that of others is nobody's business.
fn elsewhere(signed: bool, from: Option<IpAddr>) {
    static FLOOD: Flood = Flood::new(20);
    let Some(held) = FLOOD.pass() else { return };
    if held > 0 {
        tracing::warn!("{held} more callbacks from addresses that are not allowed");
    }
    match from {
        Some(from) if signed => tracing::error!(
            "callback with a right signature from {from}, which LINE_WORKS_ALLOWED_IPS does not name; it is held \
             for crm webhook recheck"
        ),
        _ => tracing::warn!("callback from an address that is not allowed"),
    }
}

fn status(status: StatusCode) -> Response {
    Response::builder().status(status).finish()
}
