//! The database: opens, is up to date, can be written, has room; when something came in last.

use crm_compose::settings::Database;
use crm_compose::{Composition, Settings, StartError, free_space};
use crm_domain::ports::store::{StoreError, StoreExt as _};

use super::{Round, State, backups, files, keys, receiving};

/// Less free space than this is worth a warning.
const LITTLE: u64 = 1024 * 1024 * 1024;
/// Less than this is a failure: the next backup or burst fills the disk.
const TOO_LITTLE: u64 = 100 * 1024 * 1024;

pub(super) async fn check(round: &mut Round<'_>, settings: Settings) {
    let settings = settings.without_line_works();
    let locale = round.texts.locale();
    let (dir, spool) = (settings.data.dir.clone(), settings.data.spool_dir.clone());
    match Composition::as_it_is(settings) {
        Ok(parts) => check_open(round, &parts).await,
        Err(error) => {
            round.bad("database", State::Failed, error.sentence(locale), advice(&error));
            round.skip(
                &[
                    "migrations",
                    "writable",
                    "uninterpreted",
                    "files",
                    "keys",
                    "backup",
                    "paused",
                    "held",
                    "last_received",
                    "server",
                ],
                "earlier",
            );
        }
    }
    receiving::check_spool(round, &spool);
    check_space(round, &dir);
}

/// What the sentence itself does not say.
fn advice(error: &StartError) -> &'static str {
    match error {
        StartError::NoDatabase(_) => "database",
        StartError::Store {
            database: Database::Server(_),
            ..
        } => "database_server",
        _ => "database_place",
    }
}

async fn check_open(round: &mut Round<'_>, parts: &Composition) {
    round.ok("database", parts.settings.data.database.to_string());
    match parts.store.migrations_pending().await {
        Ok(0) => round.ok("migrations", ""),
        Ok(count) => round.bad("migrations", State::Failed, count.to_string(), "migrations"),
        Err(error) => round.bad("migrations", State::Failed, error.to_string(), "database"),
    }
    match parts.crm.ready().await {
        Ok(()) => round.ok("writable", ""),
        Err(error) => round.bad("writable", State::Failed, error.to_string(), "writable"),
    }
    check_understood(round, parts).await;
    files::check(round, parts).await;
    keys::check(round, parts).await;
    backups::check(round, parts).await;
    receiving::check_held(round, parts).await;
    let last = parts.store.read(|unit| unit.receipts().last_received()).await;
    let last: Result<_, StoreError> = last;
    match last {
        Ok(Some(at)) => {
            let zone = &parts.settings.web.time_zone;
            let view = crate::output::View {
                texts: round.texts,
                zone,
            };
            let shown = crate::rows::shown(at, &view);
            round.ok("last_received", shown);
        }
        Ok(None) => round.bad("last_received", State::Warning, "", "last_received"),
        Err(error) => round.bad("last_received", State::Failed, error.to_string(), "database"),
    }
    match parts.server_runs().await {
        Ok(true) => round.ok("server", ""),
        Ok(false) => round.bad("server", State::Warning, "", "server"),
        Err(error) => round.bad("server", State::Failed, error.to_string(), "database"),
    }
}

fn check_space(round: &mut Round<'_>, dir: &std::path::Path) {
    match free_space(dir) {
        Ok(Some(bytes)) => {
            let detail = format!("{} MiB", bytes / 1024 / 1024);
            if bytes < TOO_LITTLE {
                round.bad("disk_space", State::Failed, detail, "disk_space");
            } else if bytes < LITTLE {
                round.bad("disk_space", State::Warning, detail, "disk_space");
            } else {
                round.ok("disk_space", detail);
            }
        }
        Ok(None) => round.skip(&["disk_space"], "unknown"),
        Err(error) => round.bad("disk_space", State::Failed, error.to_string(), "database"),
    }
}

async fn check_understood(round: &mut Round<'_>, parts: &Composition) {
    let counted = parts
        .store
        .read(|unit| unit.receipts().uninterpreted_receipts())
        .await;
    let counted: Result<_, StoreError> = counted;
    match counted {
        Ok(0) => round.ok("uninterpreted", ""),
        Ok(count) => round.bad(
            "uninterpreted",
            State::Warning,
            count.to_string(),
            "uninterpreted",
        ),
        Err(error) => round.bad("uninterpreted", State::Failed, error.to_string(), "database"),
    }
}
