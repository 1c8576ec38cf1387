//! For whoever watches the process: does it live, and can it take callbacks.

use std::time::Duration;

use crm_domain::backups::TOO_OLD;
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
    text(StatusCode::OK, "ok\n".to_owned())
}

#[handler]
async fn show_readiness(app: App) -> Response {
    readiness(&app).await
}

/// Whether a callback can be made durable, and how each part fares.
pub async fn readiness(app: &App) -> Response {
    if app.stop.is_said() {
        return text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned());
    }
    match tokio::time::timeout(LONGEST, Parts::look(app)).await {
        Ok(parts) if parts.take_callbacks() => text(StatusCode::OK, parts.told()),
        Ok(parts) => text(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{NOWHERE}{}", parts.lines()),
        ),
        Err(_) => text(StatusCode::SERVICE_UNAVAILABLE, NOWHERE.to_owned()),
    }
}

const NOWHERE: &str = "neither the database nor the spool can be written\n";
const OK: &str = "ok";

/// How each part fares: a word or a few, `ok` if well.
struct Parts {
    database: &'static str,
    spool: &'static str,
    line_works: &'static str,
    backups: &'static str,
}

impl Parts {
    async fn look(app: &App) -> Parts {
        let readiness = app.crm.readiness(tokio::time::sleep(PATIENCE)).await;
        let database = matches!(readiness, Readiness::Ready);
        let spool = match readiness {
            Readiness::Ready => app.crm.spool_works().await.is_ok(),
            Readiness::Degraded => true,
            Readiness::Nowhere(_) => false,
        };
        Parts {
            database: if database { OK } else { "cannot be written" },
            spool: if spool { OK } else { "cannot be written" },
            line_works: line_works(app),
            backups: if database { backups(app).await } else { NOT_KNOWN },
        }
    }

    fn take_callbacks(&self) -> bool {
        self.database == OK || self.spool == OK
    }

    fn all(&self) -> [(&'static str, &'static str); 4] {
        [
            ("database", self.database),
            ("spool", self.spool),
            ("LINE WORKS", self.line_works),
            ("backups", self.backups),
        ]
    }

    fn lines(&self) -> String {
        let lines = self.all().map(|(part, state)| format!("{part}: {state}\n"));
        lines.concat()
    }

    fn told(&self) -> String {
        let troubled = |state: &str| ![OK, NOT_SET_UP, NONE_YET, NOT_KNOWN].contains(&state);
        let parts = self.all().into_iter().filter(|(_, state)| troubled(state));
        let parts: Vec<_> = parts.map(|(part, _)| part).collect();
        if parts.is_empty() {
            format!("ready\n{}", self.lines())
        } else {
            format!("degraded: {}\n{}", parts.join(", "), self.lines())
        }
    }
}

/// No trouble: it is not wanted, or its time has not come.
const NOT_SET_UP: &str = "not set up";
const NONE_YET: &str = "none yet";
const NOT_KNOWN: &str = "not known";

/// What is known of LINE WORKS without asking it.
fn line_works(app: &App) -> &'static str {
    let trouble = app.crm.door_trouble();
    if !app.crm.can_send() {
        NOT_SET_UP
    } else if trouble.wrong_signatures {
        "callbacks carry wrong signatures"
    } else if trouble.other_address {
        "callbacks come from addresses that are not allowed"
    } else if app.backups().now().rests() {
        "sending rests since a restore or a move of the database"
    } else if app.metrics().sending_fails() {
        "messages cannot be sent"
    } else {
        OK
    }
}

async fn backups(app: &App) -> &'static str {
    let Some(load) = app.metrics().load(app, PATIENCE).await else {
        return NOT_KNOWN;
    };
    match (load.last_backup, load.backup_failed) {
        (_, Some(true)) => "the last one failed",
        (Some(newest), _) if load.at.since(newest) >= TOO_OLD => "the newest is too old",
        (Some(_), _) if app.backups().now().lacks_the_newest() => {
            "the file of the newest is not in its folder"
        }
        (Some(_), _) => OK,
        (None, _) => NONE_YET,
    }
}

fn text(status: StatusCode, body: String) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .body(body)
}
