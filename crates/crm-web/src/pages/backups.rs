//! バックアップ: how old the last one is, where they lie, and what rests since a restore.

use crm_domain::backups::{Backup, BackupState};
use crm_domain::permissions::Action;
use crm_domain::use_cases::BackupsView;
use poem::http::StatusCode;
use poem::{Response, Route, get, handler, post};
use time::Duration;

use super::times;
use crate::auth::{Nothing, Protected, Signed, Visitor};
use crate::backup_watch::slot_before;
use crate::format::Times;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::views::backups::{BackupRow, BackupSummary, BackupsPage, told};

pub(super) fn mount(route: Route) -> Route {
    route
        .at(links::BACKUPS, get(show))
        .at("/admin/backups/take", post(take))
        .at("/admin/backups/resume", post(resume))
}

#[handler]
async fn show(visitor: Visitor, by: Signed) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::ManageBackups)?;
    let view = visitor.app.crm.backup_state(&by.actor).await?;
    let times = times(&visitor);
    let page = BackupsPage {
        summary: summary(&view, &times),
        paused: view.pause.map(|pause| times.short(pause.since)),
        paused_cause: view.pause.map(|pause| pause.cause.code()),
        folder: view.place.folder.clone(),
        keep: view.place.keep,
        encrypted: view.place.encrypted,
        next: (view.place.keep > 0).then(|| times.short(next(&visitor, &view))),
        rows: view
            .newest
            .iter()
            .map(|backup| row(backup, &view, &times))
            .collect(),
    };
    visitor.page(StatusCode::OK, Menu::AdminBackups, &page)
}

/// How things stand, in one sentence and what follows from it.
pub(super) fn summary(view: &BackupsView, times: &Times) -> BackupSummary {
    let good = view.good.as_ref();
    BackupSummary {
        at: good.map(|good| times.short(good.begun.at)),
        hours: view.age().map(|seconds| seconds / 3_600),
        size: good
            .and_then(|good| good.taken.as_ref())
            .map(|taken| crate::format::file_size(taken.size)),
        running: view.running().is_some(),
        failed: view.last_failed(),
        problem: view
            .last
            .as_ref()
            .and_then(|last| last.problem.as_deref())
            .map(|problem| told(problem).to_owned()),
        old: view.is_too_old(),
        gone: good
            .filter(|_| view.is_gone())
            .map(|good| good.begun.file.clone()),
        same_disk: view.place.keep > 0 && view.place.same_disk,
        missing: good.and_then(missing),
    }
}

fn next(visitor: &Visitor, view: &BackupsView) -> crm_domain::instant::Instant {
    let last = slot_before(view.now, view.place.at, &visitor.app.settings.zone);
    last.plus(Duration::DAY)
}

fn row(backup: &Backup, view: &BackupsView, times: &Times) -> BackupRow {
    let failed = backup.has_failed(view.now);
    BackupRow {
        at: times.short(backup.begun.at),
        by: (!backup.begun.daily).then(|| backup.begun.by.clone()),
        state: match backup.state {
            BackupState::Good => "good",
            _ if failed => "failed",
            _ => "running",
        },
        problem: failed.then(|| told(backup.problem.as_deref().unwrap_or("interrupted")).to_owned()),
        file: backup.taken.as_ref().map(|taken| taken.file.clone()),
        size: backup
            .taken
            .as_ref()
            .map(|taken| crate::format::file_size(taken.size)),
        encrypted: backup.taken.as_ref().is_some_and(|taken| taken.encrypted),
        missing: missing(backup),
    }
}

fn missing(backup: &Backup) -> Option<u64> {
    let count = backup.taken.as_ref()?.missing_files;
    (count > 0).then_some(count)
}

#[handler]
async fn take(visitor: Visitor, form: Protected<Nothing>) -> Result<Response, Failure> {
    let actor = form.by.actor;
    let begun = visitor.app.crm.begin_backup(&actor, false, "").await?;
    let notice = match begun {
        Some(id) => {
            visitor.app.signals.backup_wanted(id, actor);
            "backup_begun"
        }
        None => "backup_runs",
    };
    Ok(visitor.redirect(links::BACKUPS, Some((notice, None))))
}

#[handler]
async fn resume(visitor: Visitor, form: Protected<Nothing>) -> Result<Response, Failure> {
    let app = &visitor.app;
    app.crm.resume(&form.by.actor).await?;
    app.backups().resumed();
    app.signals.message_queued();
    app.signals.files_waiting();
    Ok(visitor.redirect(links::BACKUPS, Some(("work_resumed", None))))
}
