//! What every page has to know of backups, looked at by a worker and kept here, so that no request waits for it.

use std::sync::{PoisonError, RwLock};

use crm_domain::instant::Instant;
use crm_domain::use_cases::BackupsView;
use time::Duration;

use crate::page::Banner;
use crate::state::Zone;

/// What is wrong, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a sentence of its own")]
pub(crate) struct BackupWatch {
    paused: bool,
    failed: bool,
    old: bool,
    same_disk: bool,
    gone: bool,
}

impl BackupWatch {
    /// As of this look.
    pub(crate) fn of(view: &BackupsView) -> Self {
        let by_itself = view.place.keep > 0;
        Self {
            paused: view.pause.is_some(),
            failed: by_itself && view.last_failed() && view.running().is_none(),
            old: by_itself && view.is_too_old(),
            same_disk: by_itself && view.place.same_disk,
            gone: by_itself && view.is_gone(),
        }
    }

    /// What an administrator must know everywhere.
    pub(crate) fn banner(self) -> Option<Banner> {
        let all = [
            (self.paused, Banner::WorkPaused),
            (self.failed, Banner::BackupFailed),
            (self.old, Banner::BackupOld),
        ];
        all.into_iter()
            .find_map(|(there, banner)| there.then_some(banner))
    }

    /// Whether nothing leaves by itself, since a backup was put back or the database moved.
    pub(crate) fn rests(self) -> bool {
        self.paused
    }

    /// Whether the file of the newest good one is not to be seen in its folder.
    pub(crate) fn lacks_the_newest(self) -> bool {
        self.gone
    }

    /// What everybody else must know of it.
    pub(crate) fn banner_for_all(self) -> Option<Banner> {
        self.paused.then_some(Banner::SendingRests)
    }

    /// What an administrator is told on the board.
    pub(crate) fn board_banner(self) -> Option<Banner> {
        let same_disk = self.same_disk.then_some(Banner::BackupSameDisk);
        self.banner().or(same_disk)
    }
}

/// The last look.
#[derive(Debug, Default)]
pub(crate) struct LastLook(RwLock<BackupWatch>);

impl LastLook {
    /// Keeps this one.
    pub(crate) fn note(&self, watch: BackupWatch) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = watch;
    }

    /// Notes that work goes on, before the next look.
    pub(crate) fn resumed(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).paused = false;
    }

    /// The one that was kept.
    pub(crate) fn now(&self) -> BackupWatch {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last moment, now or before, at which the clock showed so many minutes after midnight.
pub(crate) fn slot_before(now: Instant, minutes: u16, zone: &Zone) -> Instant {
    let local = now.at_offset(zone(now));
    let midnight = local.replace_time(time::Time::MIDNIGHT);
    let today = midnight + Duration::minutes(i64::from(minutes));
    Instant::new(if today <= local {
        today
    } else {
        today - Duration::DAY
    })
}
