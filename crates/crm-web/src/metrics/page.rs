//! `GET /metrics`.

use std::time::Duration;

use crm_domain::permissions::Actor;
use crm_domain::use_cases::Load;
use poem::http::header;
use poem::{Request, Response, Route, get, handler};
use tokio::time::Instant;

use super::Metrics;
use super::gauges::Seen;
use crate::auth::Identity;
use crate::problem::Failure;
use crate::server::Caller;
use crate::state::App;

/// Where Prometheus reads.
pub const METRICS: &str = "/metrics";

/// As whom an address reads that needs no token.
const READER: Actor = Actor::Job("metrics");
/// For how long one reading of the database serves.
const FRESH: Duration = Duration::from_secs(5);
/// How long the database may take; then the rest is told without it.
const PATIENCE: Duration = Duration::from_secs(2);
/// What proxies add to requests that they hand on.
const HANDED_ON: [&str; 4] = ["x-forwarded-for", "forwarded", "x-real-ip", "via"];

/// Adds the address.
pub fn mount(route: Route) -> Route {
    route.at(METRICS, get(show))
}

#[handler]
async fn show(request: &Request) -> Result<Response, Failure> {
    let app = App::of(request)?;
    let actor = reader(&app, request).await?;
    let text = app.metrics().text(&app, &actor).await?;
    Ok(Response::builder()
        .header(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")
        .body(text))
}

/// Whoever has a token that may read, or calls from an address that needs none.
async fn reader(app: &App, request: &Request) -> Result<Actor, Failure> {
    if request.headers().contains_key(header::AUTHORIZATION) {
        return Ok(Identity::of(request).await?.signed()?.actor);
    }
    let caller = request.extensions().get::<Caller>();
    let allowed = caller.is_some_and(|caller| {
        // A proxy that is not trusted hides who calls: its own address proves nothing.
        let hidden = !caller.by_proxy && HANDED_ON.iter().any(|name| request.headers().contains_key(*name));
        !hidden && app.settings.metrics_networks.contains(caller.address)
    });
    if allowed {
        Ok(READER)
    } else {
        Err(Failure::MetricsClosed)
    }
}

impl Metrics {
    /// What the database tells, read at most once in some seconds however many ask; `None` if it cannot be read in time.
    pub(crate) async fn load(&self, app: &App, patience: Duration) -> Option<Load> {
        let mut kept = self.seen.lock().await;
        if let Some((_, seen)) = kept.as_ref().filter(|(read, _)| read.elapsed() < FRESH) {
            return *seen;
        }
        let load = tokio::time::timeout(patience, app.crm.load(&READER)).await;
        let load = load.ok().and_then(Result::ok);
        *kept = Some((Instant::now(), load));
        load
    }

    async fn text(&self, app: &App, actor: &Actor) -> Result<String, Failure> {
        // Before the reading, which would count itself.
        let (signs, pool) = (app.crm.signs(actor)?, app.crm.pool());
        let load = self.load(app, PATIENCE).await;
        let seen = Seen { load, signs, pool };
        self.gauges.name_build(app.machine.as_ref());
        self.gauges.set_seen(&seen);
        self.gauges
            .set_machine(app.machine.as_ref(), self.open.now(), app.live.streams());
        self.gauges.set_uptime(self.begun.elapsed());
        Ok(self.registry.text())
    }
}
