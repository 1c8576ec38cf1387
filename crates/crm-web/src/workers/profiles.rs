//! Asks LINE WORKS for the names of senders who are no customers yet. Sending and receiving never wait for it.

use std::time::Duration;

use crm_domain::error::Error;
use crm_domain::ports::profiles::ProfileError;
use crm_domain::use_cases::{NamePause, NameRound};

use super::JOB;
use crate::problem::causes;
use crate::state::App;

/// Of how many names a round asks.
const BATCH: usize = 10;
/// Looks this often for new senders.
const TICK: Duration = Duration::from_secs(1);
/// The rest after a full round: half of what the smallest plan allows for long use.
const PACE: Duration = Duration::from_secs(20);
/// The rest while the database cannot be used.
const LONG_REST: Duration = Duration::from_secs(30);

/// Asks until the server stops.
pub(super) async fn run(app: App) {
    // What the settings prevented may have been mended while the server was down.
    if let Err(error) = app.crm.retry_names(&JOB).await {
        tracing::error!("names of senders cannot be looked at: {}", causes(&error));
    }
    let mut pause = None;
    while !app.stop.is_said() {
        let rest = tokio::select! {
            round = round(&app, &mut pause) => rest_after(round),
            () = app.stop.said() => return,
        };
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = app.stop.said() => {}
        }
    }
}

/// One round; while LINE WORKS is to be left alone, who is due is only put off.
async fn round(app: &App, pause: &mut Option<NamePause>) -> Result<NameRound, Error> {
    if let Some(waiting) = pause.as_ref().filter(|pause| pause.lasts(app.crm.now())) {
        app.crm.defer_names(&JOB, waiting).await?;
        return Ok(NameRound::default());
    }
    let round = app.crm.fetch_names(&JOB, BATCH).await?;
    if let Some(new) = &round.pause
        && pause.as_ref().map(|old| &old.problem) != Some(&new.problem)
    {
        tell(new);
    }
    if round.asked > 0 {
        pause.clone_from(&round.pause);
    }
    Ok(round)
}

fn rest_after(round: Result<NameRound, Error>) -> Duration {
    match round {
        Ok(round) if round.asked >= BATCH => PACE,
        Ok(_) => TICK,
        Err(error) => {
            tracing::error!(
                "names of senders cannot be written, trying again: {}",
                causes(&error)
            );
            LONG_REST
        }
    }
}

fn tell(pause: &NamePause) {
    match &pause.problem {
        ProfileError::ScopeMissing => tracing::warn!(
            "names of senders cannot be had: tick the OAuth scope user.profile.read of the app in the Developer Console"
        ),
        problem => tracing::warn!("names of senders cannot be had now, trying again later: {problem}"),
    }
}
