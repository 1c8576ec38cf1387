//! Keeps the measures tidy: single times go into their buckets, whether anybody reads them or not.

use std::time::Duration;

use crate::state::App;

/// How often: what is measured meanwhile lies in memory, eight bytes each.
const EVERY: Duration = Duration::from_secs(5);

/// Tidies until the server stops.
pub(super) async fn run(app: App) {
    while !app.stop.is_said() {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => app.metrics().tidy(),
            () = app.stop.said() => {}
        }
    }
}
