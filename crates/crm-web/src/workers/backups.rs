//! The daily backup, backups that somebody asked for, and what everybody has to know of them.

use std::time::Duration;

use crm_domain::backups::BackupId;
use crm_domain::error::Error;
use crm_domain::permissions::Actor;

use super::JOB;
use crate::backup_watch::{BackupWatch, slot_before};
use crate::problem::causes;
use crate::state::App;

/// The first look for the daily backup, so that a start is not burdened.
const FIRST: Duration = Duration::from_secs(20);
/// How often it looks whether one is due.
const TICK: Duration = Duration::from_secs(30);
/// How often a backup shows that it is alive.
const BEAT: Duration = Duration::from_mins(1);

/// Takes what was asked for at this instance, and keeps up what banners say.
pub(super) async fn run(app: App) {
    while !app.stop.is_said() {
        if let Err(error) = look(&app).await {
            tracing::error!("backups cannot be looked at: {}", causes(&error));
        }
        tokio::select! {
            Some((id, by)) = app.signals.backup() => taken(&app, &by, id, false).await,
            () = tokio::time::sleep(TICK) => {}
            () = app.stop.said() => {}
        }
    }
}

/// Takes the daily one when its time has come, or at once when the last good one is older.
pub(super) async fn daily(app: App) {
    let mut rest = FIRST;
    while !app.stop.is_said() {
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = app.stop.said() => return,
        }
        rest = TICK;
        let round = tokio::select! {
            round = round(&app) => round,
            () = app.stop.said() => return,
        };
        if let Err(error) = round {
            tracing::error!(
                "the daily backup cannot be noted, trying again: {}",
                causes(&error)
            );
        }
    }
}

async fn round(app: &App) -> Result<(), Error> {
    let view = app.crm.backup_state(&JOB).await?;
    if !view.is_due(slot_before(view.now, view.place.at, &app.settings.zone)) {
        return Ok(());
    }
    if let Some(id) = app.crm.begin_backup(&JOB, true, "").await? {
        taken(app, &JOB, id, true).await;
    }
    Ok(())
}

/// Takes one that was begun, and says what became of it.
async fn taken(app: &App, by: &Actor, id: BackupId, daily: bool) {
    let taking = app.crm.take_backup(by, id, daily);
    tokio::pin!(taking);
    let outcome = loop {
        tokio::select! {
            outcome = &mut taking => break outcome,
            () = tokio::time::sleep(BEAT) => {
                if let Err(error) = app.crm.beat_backup(by, id, daily).await {
                    tracing::warn!("a backup cannot show that it is alive: {}", causes(&error));
                }
            }
        }
    };
    match outcome {
        Ok(Ok(taken)) => tracing::info!("backup written to {}, {} bytes", taken.file, taken.size),
        Ok(Err(problem)) => tracing::error!("the backup failed: {problem}"),
        Err(error) => tracing::error!("what became of a backup cannot be stored: {}", causes(&error)),
    }
    if let Err(error) = look(app).await {
        tracing::error!("backups cannot be looked at: {}", causes(&error));
    }
}

/// Notes what banners say.
async fn look(app: &App) -> Result<(), Error> {
    let view = app.crm.backup_state(&JOB).await?;
    app.backups().note(BackupWatch::of(&view));
    Ok(())
}

/// Somebody asked for a backup that was begun.
pub(crate) type Asked = (BackupId, Actor);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crm_domain::instant::Instant;
    use time::UtcOffset;

    use crate::backup_watch::slot_before;
    use crate::state::Zone;

    #[test]
    fn the_time_of_day_is_that_of_the_zone() {
        let tokyo: Zone = Arc::new(|_| UtcOffset::from_hms(9, 0, 0).unwrap());
        let slot = |now: &str| slot_before(Instant::parse(now).unwrap(), 180, &tokyo).to_string();
        // 3:00 in Tokyo is 18:00 UTC of the day before.
        assert_eq!(slot("2025-07-08T17:59:59Z"), "2025-07-07T18:00:00.000Z");
        assert_eq!(slot("2025-07-08T18:00:00Z"), "2025-07-08T18:00:00.000Z");
        assert_eq!(slot("2025-07-09T02:00:00Z"), "2025-07-08T18:00:00.000Z");
    }
}
