//! Follows how LINE WORKS is set up: another program may have saved it otherwise.

use std::time::Duration;

use super::JOB;
use crate::state::App;

/// How often it is looked: one number of one row.
const ROUND: Duration = Duration::from_secs(2);

pub(super) async fn run(app: App) {
    loop {
        tokio::select! {
            () = app.stop.said() => return,
            () = tokio::time::sleep(ROUND) => {}
        }
        match app.crm.reload_connection(&JOB).await {
            Ok(true) => {
                tracing::info!("LINE WORKS was set up otherwise; the new settings are in use");
                app.signals.message_queued();
                app.signals.files_waiting();
            }
            Ok(false) => {}
            // The database is away: others say so, and the settings in use stay.
            Err(error) => tracing::debug!("the settings of LINE WORKS cannot be read now: {error}"),
        }
    }
}
