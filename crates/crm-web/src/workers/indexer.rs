//! Lets messages be found by their words that were written by an older program or moved here with a whole database. What is
//! written here is found at once.

use std::time::Duration;

use tokio::time::Instant;

use super::JOB;
use crate::problem::causes;
use crate::state::App;

/// How many messages one unit of work takes in.
const AT_ONCE: usize = 250;
/// How often it looks whether there are any.
const LOOK: Duration = Duration::from_secs(5);
/// The rest while the database cannot be used.
const LONG_REST: Duration = Duration::from_secs(10);

/// Takes messages in until the server stops.
pub(super) async fn run(app: App) {
    let mut taken = 0;
    while !app.stop.is_said() {
        let begun = Instant::now();
        let rest = match app.crm.index_messages(&JOB, AT_ONCE).await {
            Ok(0) => {
                if taken > 0 {
                    tracing::info!("{taken} older messages can now be found by their words");
                    taken = 0;
                }
                LOOK
            }
            Ok(some) => {
                taken += some;
                // Half of the time is everybody else's.
                begun.elapsed()
            }
            Err(error) => {
                tracing::error!("older messages cannot be made findable now: {}", causes(&error));
                LONG_REST
            }
        };
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = app.stop.said() => {}
        }
    }
}
