//! For whoever watches the process: does it live, and can it take callbacks.

use std::time::Duration;

use poem::http::{StatusCode, header};
use poem::{Response, Route, get, handler};

use crate::state::App;

/// Answers as long as the process lives.
pub const LIVES: &str = "/healthz";
/// Answers 200 as long as a callback can be made durable.
pub const READY: &str = "/readyz";

/// How long the database may take to say that it can be written.
const PATIENCE: Duration = Duration::from_secs(2);

/// Adds both addresses.
pub fn mount(route: Route) -> Route {
    route.at(LIVES, get(show_life)).at(READY, get(show_readiness))
}

#[handler]
fn show_life() -> Response {
    lives()
}

/// The answer of a living process.
pub fn lives() -> Response {
    text(StatusCode::OK, "ok\n")
}

#[handler]
async fn show_readiness(app: App) -> Response {
    if app.stop.is_said() {
        return text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    match tokio::time::timeout(PATIENCE, app.crm.ready()).await {
        Ok(Ok(())) => text(StatusCode::OK, "ready\n"),
        _ => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "the database cannot be written\n",
        ),
    }
}

fn text(status: StatusCode, body: &'static str) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .body(body)
}
