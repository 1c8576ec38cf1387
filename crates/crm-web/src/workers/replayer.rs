//! Takes callbacks out of the spool once the database can be written again.

use std::time::Duration;

use crm_domain::use_cases::{ReplayError, Replayed};

use super::JOB;
use crate::problem::causes;
use crate::state::App;

/// How many go in with one unit of work.
const BATCH: usize = 256;
/// Looks this often even if nobody woke it, also for what dead processes left.
const TICK: Duration = Duration::from_secs(10);
/// The first and the longest rest between tries while the database cannot be used.
const FIRST_REST: Duration = Duration::from_millis(250);
const LONGEST_REST: Duration = Duration::from_secs(5);

/// Replays until the server stops; what waits then waits on for the next start.
pub(super) async fn run(app: App) {
    let (mut rest, mut taken) = (FIRST_REST, Replayed::default());
    while !app.stop.is_said() {
        match app.crm.replay_spool(&JOB, BATCH).await {
            Ok(replayed) => {
                taken.added += replayed.added;
                taken.existed += replayed.existed;
                if replayed.added > 0 {
                    app.signals.callback_kept();
                }
                if replayed.more {
                    continue;
                }
                tell_end(&mut taken, rest > FIRST_REST);
                rest = FIRST_REST;
                tokio::select! {
                    () = app.signals.spooled() => {}
                    () = tokio::time::sleep(TICK) => {}
                    () = app.stop.said() => {}
                }
            }
            Err(error) => {
                if rest == FIRST_REST {
                    tell_begin(app.crm.spooled(), &error);
                }
                rest = (rest * 2).min(LONGEST_REST);
                tokio::select! {
                    () = tokio::time::sleep(rest) => {}
                    () = app.stop.said() => {}
                }
            }
        }
    }
}

fn tell_begin(waiting: usize, error: &ReplayError) {
    let causes = causes(error);
    if let ReplayError::Spool(_) = error {
        tracing::error!(target: "crm_web::webhook", "the spool cannot be looked through, trying again: {causes}");
    } else {
        tracing::error!(
            target: "crm_web::webhook",
            "the database does not take callbacks, {waiting} in the spool; trying again by itself: {causes}"
        );
    }
}

fn tell_end(taken: &mut Replayed, was_away: bool) {
    let Replayed { added, existed, .. } = std::mem::take(taken);
    if added + existed > 0 {
        tracing::info!(
            target: "crm_web::webhook",
            "the spool is empty again: {added} callback(s) taken in, {existed} were in the database already"
        );
    } else if was_away {
        tracing::info!(target: "crm_web::webhook", "the database takes callbacks again");
    }
}
