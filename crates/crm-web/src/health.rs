//! For whoever watches the process: does it live, and can it take callbacks.

use std::time::Duration;

use crm_domain::use_cases::Readiness;
use poem::http::{StatusCode, header};
use poem::{Response, Route, get, handler};

use crate::state::App;

/// Answers as long as the process lives.
pub const LIVES: &str = "/healthz";
/// Answers 200 as long as a callback can be made durable.
pub const READY: &str = "/readyz";

/// How long the database may take to say that it can be written: less than whoever asks waits for the answer.
const PATIENCE: Duration = Duration::from_millis(600);
/// How long it may take together with the spool.
const LONGEST: Duration = Duration::from_secs(3);

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
    readiness(&app).await
}

/// Whether a callback can be made durable.
pub async fn readiness(app: &App) -> Response {
    if app.stop.is_said() {
        return text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    let readiness = app.crm.readiness(tokio::time::sleep(PATIENCE));
    match tokio::time::timeout(LONGEST, readiness).await {
        Ok(Readiness::Ready) => text(StatusCode::OK, "ready\n"),
        Ok(Readiness::Degraded) => text(
            StatusCode::OK,
            "degraded: the database cannot be written; callbacks wait in the spool\n",
        ),
        Ok(Readiness::Nowhere(_)) | Err(_) => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "neither the database nor the spool can be written\n",
        ),
    }
}

fn text(status: StatusCode, body: &'static str) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .body(body)
}
