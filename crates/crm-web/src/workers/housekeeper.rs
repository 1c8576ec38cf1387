//! Keeps house: goes on with erasures, and takes once a day what is over its time.

use std::time::Duration;

use crm_domain::error::Error;

use super::JOB;
use crate::problem::causes;
use crate::state::App;

/// Looks this often for what is to be done.
const TICK: Duration = Duration::from_secs(10);
/// The rest after something failed.
const LONG_REST: Duration = Duration::from_mins(1);

/// Keeps house until the server stops; what is broken off is taken up at the next start.
pub(super) async fn run(app: App) {
    let mut began = false;
    let mut wanted = false;
    while !app.stop.is_said() {
        let round = tokio::select! {
            round = round(&app, &mut began, wanted) => round,
            () = app.stop.said() => return,
        };
        let rest = match round {
            Ok(()) => TICK,
            Err(error) => {
                tracing::error!(
                    "what is over its time cannot be deleted, trying again: {}",
                    causes(&error)
                );
                LONG_REST
            }
        };
        wanted = tokio::select! {
            () = tokio::time::sleep(rest) => false,
            () = app.signals.house() => true,
            () = app.stop.said() => return,
        };
    }
}

async fn round(app: &App, began: &mut bool, wanted: bool) -> Result<(), Error> {
    let crm = &app.crm;
    if !*began {
        let again = crm.erase_again(&JOB).await?;
        if again > 0 {
            tracing::warn!(
                "{again} erased record(s) had come back with a restored backup and were erased again"
            );
        }
        *began = true;
    }
    crm.pursue_erasures(&JOB).await?;
    if wanted || crm.house_is_due(&JOB).await? {
        let run = crm.keep_house(&JOB).await?;
        if run.held {
            tracing::info!("nothing was deleted: deleting is held back");
        } else if !run.tally.is_empty() {
            tracing::info!("deleted what was over its time: {}", run.tally);
        }
    }
    Ok(())
}
