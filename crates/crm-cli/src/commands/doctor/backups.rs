//! Backups: how old the last good one is and where they lie; whether work rests since a restore.

use crm_compose::Composition;
use crm_domain::permissions::Actor;

use super::{Round, State};

const CHECKS: [&str; 2] = ["backup", "paused"];

pub(super) async fn check(round: &mut Round<'_>, parts: &Composition) {
    // What is wrong with the database is told above.
    let Ok(view) = parts.crm.backup_state(&Actor::Job("doctor")).await else {
        return round.skip(&CHECKS, "earlier");
    };
    // Somebody's own, written elsewhere, is one too.
    let elsewhere = || view.newest.iter().find(|backup| backup.taken.is_some());
    let newest = view.good.as_ref().or_else(elsewhere);
    let shown = newest.map(|good| {
        let zone = &parts.settings.web.time_zone;
        let texts = round.texts;
        crate::rows::shown(good.begun.at, &crate::output::View { texts, zone })
    });
    let detail = shown.unwrap_or_default();
    let finding = [
        (
            newest.is_none() && !view.last_failed() && !view.is_too_old(),
            "backup_none",
        ),
        (view.last_failed(), "backup_failed"),
        (view.is_too_old(), "backup_old"),
        (view.is_gone(), "backup_gone"),
        (view.place.keep > 0 && view.place.same_disk, "backup_same_disk"),
    ];
    let mut sound = true;
    for (_, advice) in finding.into_iter().filter(|(there, _)| *there) {
        round.bad("backup", State::Warning, detail.clone(), advice);
        sound = false;
    }
    if sound {
        round.ok("backup", detail);
    }
    match &view.pause {
        Some(_) => round.bad("paused", State::Warning, "", "paused"),
        None => round.ok("paused", ""),
    }
}
