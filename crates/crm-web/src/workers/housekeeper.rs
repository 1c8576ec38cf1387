//! Keeps house: goes on with erasures, and takes once a day what is over its time.

use std::time::Duration;

use crm_domain::error::Error;

use super::JOB;
use crate::problem::causes;
use crate::state::App;

/// Looks this often for what is to be done.
const TICK: Duration = Duration::from_secs(10);
/// How often the list of the erased is brought up to date.
const LIST_EVERY: Duration = Duration::from_mins(10);
/// The rest after something failed.
const LONG_REST: Duration = Duration::from_mins(1);

/// Keeps house until the server stops; what is broken off is taken up at the next start.
pub(super) async fn run(app: App) {
    let mut began = false;
    while !app.stop.is_said() {
        let round = tokio::select! {
            round = round(&app, &mut began) => round,
            () = app.stop.said() => return,
        };
        let rest = rest_after(round);
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = app.stop.said() => return,
        }
    }
}

/// Keeps house when an administrator asks this instance to, whichever does it daily.
pub(super) async fn at_once(app: App) {
    let mut rest = None;
    loop {
        keep_list(&app).await;
        tokio::select! {
            () = tokio::time::sleep(LIST_EVERY), if rest.is_none() => continue,
            () = app.signals.house() => {}
            () = again_in(rest) => {}
            () = app.stop.said() => return,
        }
        let kept = tokio::select! {
            kept = keep(&app) => kept,
            () = app.stop.said() => return,
        };
        rest = kept.is_err().then_some(LONG_REST);
        rest_after(kept);
    }
}

/// Every instance keeps the whole list of the erased outside the database, whichever erased somebody.
async fn keep_list(app: &App) {
    if let Err(error) = app.crm.keep_erased_list(&JOB).await {
        tracing::warn!(
            "the list of the erased cannot be kept now, trying again: {}",
            causes(&error)
        );
    }
}

async fn again_in(rest: Option<Duration>) {
    match rest {
        Some(rest) => tokio::time::sleep(rest).await,
        None => std::future::pending().await,
    }
}

fn rest_after(round: Result<(), Error>) -> Duration {
    let Err(error) = round else { return TICK };
    tracing::error!(
        "what is over its time cannot be deleted, trying again: {}",
        causes(&error)
    );
    LONG_REST
}

async fn round(app: &App, began: &mut bool) -> Result<(), Error> {
    let crm = &app.crm;
    if !*began {
        crm.keep_erased_list(&JOB).await?;
        let again = crm.erase_again(&JOB).await?;
        if again > 0 {
            tracing::warn!(
                "{again} erased record(s) had come back with a restored backup and were erased again"
            );
        }
        *began = true;
    }
    crm.pursue_erasures(&JOB).await?;
    if crm.house_is_due(&JOB).await? {
        keep(app).await?;
    }
    Ok(())
}

async fn keep(app: &App) -> Result<(), Error> {
    let run = app.crm.keep_house(&JOB).await?;
    if run.held {
        tracing::info!("nothing was deleted: deleting is held back");
    } else if !run.tally.is_empty() {
        tracing::info!("deleted what was over its time: {}", run.tally);
    }
    Ok(())
}
