//! Writes what the logs of audit and reading still hold, chains new entries by their seals, and forgets what is over its time.

use std::time::Duration;

use crm_domain::audit::Head;
use crm_domain::error::Error;
use tokio::time::Instant;

use super::JOB;
use crate::problem::causes;
use crate::state::App;

/// How often the log is tended: an entry is sealed within a second.
const TICK: Duration = Duration::from_millis(500);
/// The rest while the database cannot be used.
const LONG_REST: Duration = Duration::from_secs(10);
/// How often the end of the chain goes into the program's log, if it moved.
const TELL_EVERY: Duration = Duration::from_mins(10);
/// How often old readings are looked for.
const PRUNE_EVERY: Duration = Duration::from_hours(1);

/// Writes what this instance's logs still hold until the server stops, and once more then. One that is alone does it together
/// with sealing.
pub(super) async fn write(app: App) {
    if !app.crm.has_several_instances() {
        return;
    }
    loop {
        let stopping = app.stop.is_said();
        let rest = match write_held(&app).await {
            Ok(()) => TICK,
            Err(error) => {
                tracing::error!("the audit log cannot be written now: {}", causes(&error));
                LONG_REST
            }
        };
        if stopping {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = app.stop.said() => {}
        }
    }
}

async fn write_held(app: &App) -> Result<(), Error> {
    app.crm.write_refusals().await?;
    app.crm.write_readings(&JOB).await?;
    Ok(())
}

/// Tends the logs until the server stops, and once more then.
pub(super) async fn run(app: App) {
    let mut told = Told::default();
    let mut prune_at = Instant::now();
    while !app.stop.is_said() {
        let mut rest = TICK;
        match round(&app, prune_at <= Instant::now()).await {
            Ok(round) => {
                told.head(round.head, TELL_EVERY);
                if round.pruned {
                    prune_at = Instant::now() + PRUNE_EVERY;
                }
            }
            Err(error) => {
                tracing::error!("the audit log cannot be sealed now: {}", causes(&error));
                rest = LONG_REST;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = app.stop.said() => {}
        }
    }
    if let Ok(round) = round(&app, false).await {
        told.head(round.head, Duration::ZERO);
    }
}

/// What a round came to.
struct Round {
    head: Option<Head>,
    pruned: bool,
}

async fn round(app: &App, prune: bool) -> Result<Round, Error> {
    if !app.crm.has_several_instances() {
        write_held(app).await?;
    }
    let mut sealed = app.crm.seal_audit(&JOB).await?;
    while sealed.sealed > 0 {
        sealed = app.crm.seal_audit(&JOB).await?;
    }
    // Some at once, so that the next round can seal between.
    let pruned = prune && app.crm.prune_readings(&JOB).await? == 0;
    Ok(Round {
        head: sealed.head,
        pruned,
    })
}

/// What stands in the program's log.
#[derive(Default)]
struct Told {
    head: Option<Head>,
    at: Option<Instant>,
}

impl Told {
    /// Whoever cuts the end of the audit log off cannot cut it out of this log too.
    fn head(&mut self, head: Option<Head>, every: Duration) {
        let due = self.at.is_none_or(|at| at.elapsed() >= every);
        if let Some(head) = head.filter(|_| due && self.head != head) {
            tracing::info!("audit log sealed up to {head}");
            self.head = Some(head);
            self.at = Some(Instant::now());
        }
    }
}
