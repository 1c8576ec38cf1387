//! Listens to the bell of the other instances, and wakes the workers of this one.

use std::time::Duration;

use crate::state::App;

/// What is rung within this time is heard as one: however many instances there are, workers are woken so often at most.
const GATHER: Duration = Duration::from_millis(50);

/// Listens until the server stops.
pub(super) async fn run(app: App) {
    while !app.stop.is_said() {
        tokio::select! {
            () = app.signals.rung() => app.signals.wake_all(),
            () = app.stop.said() => return,
        }
        tokio::time::sleep(GATHER).await;
    }
}
