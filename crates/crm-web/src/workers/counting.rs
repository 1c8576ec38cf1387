//! Shares what holds for all instances together: how much each token asked for, and what is wrong at the callbacks' door.

use std::time::Duration;

use crm_domain::shared_counts::SharedCount;
use tokio::time::Instant;

use super::JOB;
use crate::problem::causes;
use crate::state::App;

/// How often counts are told and asked for.
const TICK: Duration = Duration::from_secs(1);
/// How long at least lies between, however greedy a token is.
const GATHER: Duration = Duration::from_millis(100);
/// The rest while the database cannot be used: each instance counts for itself then.
const LONG_REST: Duration = Duration::from_secs(5);
/// How often what instances told that are gone is forgotten.
const FORGET_EVERY: Duration = Duration::from_hours(1);

/// Shares until the server stops; an instance that is alone has nothing to share.
pub(super) async fn run(app: App) {
    if app.signals.are_alone() {
        return;
    }
    let instance = app.secrets.token();
    let mut forget_at = Instant::now();
    while !app.stop.is_said() {
        let rest = match round(&app, &instance, &mut forget_at).await {
            Ok(()) => TICK,
            Err(error) => {
                tracing::debug!("counts cannot be shared now: {}", causes(&error));
                app.allowance.hear(&[]);
                LONG_REST
            }
        };
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = app.allowance.greed(), if rest == TICK => tokio::time::sleep(GATHER).await,
            () = app.stop.said() => {}
        }
    }
}

async fn round(app: &App, instance: &str, forget_at: &mut Instant) -> Result<(), crm_domain::error::Error> {
    let counts: Vec<SharedCount> = app.allowance.tell();
    let told = app.crm.share_counts(&JOB, instance, counts).await?;
    app.allowance.hear(&told);
    if *forget_at <= Instant::now() {
        app.crm.forget_counts(&JOB).await?;
        *forget_at = Instant::now() + FORGET_EVERY;
    }
    Ok(())
}
