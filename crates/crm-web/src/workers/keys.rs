//! Goes on with a rotation of the data keys that was broken off, and forgets keys that nothing uses any more.

use std::time::Duration;

use crm_domain::error::Error;
use crm_domain::ports::store::StoreError;
use crm_domain::ports::vault::KEPT_AFTER_RETIREMENT;

use super::JOB;
use crate::problem::causes;
use crate::state::App;

/// The first look, so that a start is not burdened.
const FIRST: Duration = Duration::from_mins(1);
/// How often it looks.
const TICK: Duration = Duration::from_mins(30);

/// Looks after the data keys until the server stops.
pub(super) async fn run(app: App) {
    let mut rest = FIRST;
    loop {
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = app.stop.said() => return,
        }
        let round = tokio::select! {
            round = round(&app) => round,
            () = app.stop.said() => return,
        };
        if let Err(error) = round {
            tracing::error!("the encryption keys cannot be looked after: {}", causes(&error));
        }
        rest = TICK;
    }
}

async fn round(app: &App) -> Result<(), Error> {
    let crm = &app.crm;
    if crm.data_keys(&JOB).await?.len() < 2 {
        return Ok(());
    }
    let values = crm.reseal_values(&JOB).await?;
    let files = reseal_files(app).await?;
    if values.count + files > 0 {
        tracing::info!("encrypted {} value(s) and {files} file(s) anew", values.count);
    }
    let by = crm.clone();
    let used = apart(move || by.files_by_key(&JOB)).await?;
    let before = crm.now().minus(KEPT_AFTER_RETIREMENT);
    let forgotten = crm.forget_keys(&JOB, before, used).await?;
    if !forgotten.is_empty() {
        tracing::info!("deleted {} encryption key(s) that nothing uses", forgotten.len());
    }
    let (keys, by) = (crm.data_keys(&JOB).await?, crm.clone());
    apart(move || by.keep_file_keys(&JOB, &keys)).await
}

async fn reseal_files(app: &App) -> Result<u64, Error> {
    let (mut count, mut after) = (0, None);
    while !app.stop.is_said() {
        let crm = app.crm.clone();
        let round = apart(move || crm.reseal_files(&JOB, after)).await?;
        count += round.count;
        after = round.last;
        if after.is_none() {
            break;
        }
    }
    Ok(count)
}

/// Runs what blocks on the disk.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|failed| Err(StoreError::unavailable(failed).into()))
}
