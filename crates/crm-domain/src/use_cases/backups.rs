//! Backups: who takes them, what became of them, and the rest that everything has after one was put back.

use time::Duration;

use super::Crm;
use super::sends::changed;
use crate::audit::{Act, Deed, Did};
use crate::backups::{Backup, BackupId, GOOD_REMEMBERED, NewBackup, Pause, PauseCause, TOO_OLD, Taken};
use crate::error::Error;
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::backup_shelf::{ShelfPlace, ShelfProblem};
use crate::ports::messenger::SendProblem;
use crate::ports::store::{ReadUnit, StoreExt};

/// How many backups are looked at and shown.
const SHOWN: usize = 20;
/// How long after one that failed the next is tried.
const AGAIN: Duration = Duration::minutes(30);
/// How far clocks may differ.
const SKEW: Duration = Duration::minutes(5);
/// How many messages are given up in one unit of work.
const SENDS: usize = 100;

/// How things stand with backups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupsView {
    /// The newest, at most 20.
    pub newest: Vec<Backup>,
    /// The newest on the shelf, whatever became of it. Where none is taken by itself, any counts, for this and the next.
    pub last: Option<Backup>,
    /// The newest good one on the shelf.
    pub good: Option<Backup>,
    /// When the oldest that is remembered was begun.
    pub first_at: Option<Instant>,
    /// Where daily ones lie.
    pub place: ShelfPlace,
    /// Whether work rests, and why.
    pub pause: Option<Pause>,
    /// As of when.
    pub now: Instant,
}

impl BackupsView {
    /// Seconds since the newest good one was begun.
    pub fn age(&self) -> Option<u64> {
        let age = self.now.since(self.good.as_ref()?.begun.at);
        Some(age.whole_seconds().try_into().unwrap_or_default())
    }

    /// The one that is being taken.
    pub fn running(&self) -> Option<&Backup> {
        self.newest.iter().find(|backup| backup.is_running(self.now))
    }

    /// Whether the last one failed or was broken off, and none is under way.
    pub fn last_failed(&self) -> bool {
        let last = self.last.as_ref();
        last.is_some_and(|backup| backup.has_failed(self.now))
    }

    /// Whether the newest good one is too old, or there is none for so long.
    pub fn is_too_old(&self) -> bool {
        let good = self.good.as_ref().map(|good| good.begun.at);
        let since = good.or(self.first_at);
        since.is_some_and(|at| self.now.since(at) >= TOO_OLD)
    }

    /// Whether the file of the newest good one is not to be seen on the shelf.
    pub fn is_gone(&self) -> bool {
        let good = self.good.as_ref().and_then(|good| good.taken.as_ref());
        good.is_some_and(|taken| self.place.keep > 0 && self.place.lacks(taken))
    }

    /// Whether the daily one is to be taken, if its time was last at `slot`: there is none since, or it is gone. One that
    /// failed is not tried again at once. What a clock that ran ahead has noted does not count.
    pub fn is_due(&self, slot: Instant) -> bool {
        if self.place.keep == 0 || self.running().is_some() {
            return false;
        }
        let begun = |backup: &Backup| backup.begun.at;
        let fresh = self
            .good
            .as_ref()
            .is_some_and(|good| (slot..=self.now.plus(SKEW)).contains(&begun(good)));
        if fresh && !self.is_gone() {
            return false;
        }
        // What was taken before a restore lies on another machine.
        let here = |at: &Instant| self.pause.as_ref().is_none_or(|pause| *at >= pause.since);
        let last = self.last.as_ref().map(begun).filter(here);
        let last = last.map(|at| self.now.since(at));
        let just = last.is_some_and(|since| (-SKEW..AGAIN).contains(&since));
        !(just && (fresh || self.last_failed()))
    }
}

impl Crm {
    /// How things stand with backups.
    pub async fn backup_state(&self, actor: &Actor) -> Result<BackupsView, Error> {
        if actor.may(Action::KeepHouse).is_err() {
            self.may(actor, Action::ManageBackups)?;
        }
        let (place, folder) = (self.ports.shelf.place().await, self.ports.shelf.folder());
        let now = self.now();
        let read = move |unit: &mut dyn ReadUnit| {
            Ok(BackupsView {
                newest: unit.backups().backups(SHOWN)?,
                last: unit.backups().last_backup(folder.as_deref())?,
                good: unit.backups().last_good_backup(folder.as_deref())?,
                first_at: unit.backups().first_backup_at()?,
                place: place.clone(),
                pause: unit.backups().pause()?,
                now,
            })
        };
        self.ports.store.read(read).await
    }

    /// Notes that a backup begins; `None` if another one is being taken. Whoever took it calls [`Crm::beat_backup`] every
    /// minute until [`Crm::end_backup`].
    pub async fn begin_backup(
        &self,
        actor: &Actor,
        daily: bool,
        file: &str,
    ) -> Result<Option<BackupId>, Error> {
        self.may(actor, taking(daily))?;
        let new = NewBackup {
            at: self.now(),
            daily,
            by: actor.author().name,
            file: file.to_owned(),
        };
        self.change_again(move |uow| {
            for other in uow.backups().backups(SHOWN)? {
                if other.is_running(new.at) {
                    return Ok(None);
                }
                if other.has_failed(new.at) {
                    uow.edit_backups()
                        .end_backup(other.id, Err("interrupted"), new.at)?;
                }
            }
            Ok::<_, Error>(Some(uow.edit_backups().begin_backup(&new)?))
        })
        .await
    }

    /// Shows that a backup is still being taken; `false` when somebody else has given it up.
    pub async fn beat_backup(&self, actor: &Actor, id: BackupId, daily: bool) -> Result<bool, Error> {
        self.may(actor, taking(daily))?;
        let at = self.now();
        self.change_again(move |uow| Ok::<_, Error>(uow.edit_backups().beat_backup(id, at)?))
            .await
    }

    /// Notes what a backup came to.
    pub async fn end_backup(
        &self,
        actor: &Actor,
        id: BackupId,
        daily: bool,
        outcome: Result<Taken, ShelfProblem>,
    ) -> Result<(), Error> {
        self.act(actor, taking(daily), move |uow, at| {
            let told = outcome.as_ref().map_err(|problem| problem.code);
            if !uow.edit_backups().end_backup(id, told, at)? {
                return Ok(Did::nothing(()));
            }
            let deed = match &outcome {
                Ok(taken) => Deed::of(Act::BackupTaken)
                    .value("file", None, Some(taken.file.clone()))
                    .value("size", None, Some(taken.size.to_string()))
                    .value("sha256", None, Some(taken.hash.to_string())),
                Err(problem) => {
                    Deed::of(Act::BackupFailed).value("problem", None, Some(problem.code.to_owned()))
                }
            };
            Ok(deed.gives(()))
        })
        .await
    }

    /// Takes a backup onto the shelf that was begun, notes what it came to, and throws away what is too many.
    pub async fn take_backup(
        &self,
        actor: &Actor,
        id: BackupId,
        daily: bool,
    ) -> Result<Result<Taken, ShelfProblem>, Error> {
        self.may(actor, taking(daily))?;
        let outcome = self.ports.shelf.take(self.now()).await;
        self.end_backup(actor, id, daily, outcome.clone()).await?;
        let tidied = match &outcome {
            Ok(taken) => self.tidy_shelf(taken.clone()).await?,
            Err(_) => Ok(()),
        };
        // A backup that is there is good, also when an old one could not be thrown away.
        Ok(tidied.and(outcome))
    }

    /// Throws away what is too many, after this one was taken.
    async fn tidy_shelf(&self, just: Taken) -> Result<Result<(), ShelfProblem>, Error> {
        let read = |unit: &mut dyn ReadUnit| Ok::<_, Error>(unit.backups().good_backups(GOOD_REMEMBERED)?);
        let good = self.ports.store.read(read).await?;
        let earlier = good.into_iter().filter_map(|backup| backup.taken);
        let earlier = earlier.filter(|taken| taken.file != just.file);
        let known: Vec<Taken> = std::iter::once(just.clone()).chain(earlier).collect();
        Ok(self.ports.shelf.tidy(&known, self.now()).await.map(drop))
    }

    /// Why everything that leaves by itself rests, if it does.
    pub async fn pause(&self) -> Result<Option<Pause>, Error> {
        let read = |unit: &mut dyn ReadUnit| Ok::<_, Error>(unit.backups().pause()?);
        self.ports.store.read(read).await
    }

    /// Lets sending, fetching and deleting go on; `false` if they did not rest.
    pub async fn resume(&self, actor: &Actor) -> Result<bool, Error> {
        self.act(actor, Action::ManageBackups, |uow, _| {
            if !uow.edit_backups().set_pause(None)? {
                return Ok(Did::nothing(false));
            }
            Ok(Deed::of(Act::WorkResumed).gives(true))
        })
        .await
    }

    /// Brings a store to rest that was put back from a backup or copied from another one: nothing leaves by itself, what
    /// was on its way is 結果不明, everybody signs in anew, and open pages begin anew. `told` says where it comes from.
    pub async fn calm(
        &self,
        actor: &Actor,
        cause: PauseCause,
        told: &[(&str, String)],
    ) -> Result<u64, Error> {
        self.may(actor, Action::ManageBackups)?;
        let mut given_up = 0;
        loop {
            let at = self.now();
            let some = self.change_again(move |uow| {
                let reason = SendProblem::PutBack.code();
                let sends = uow.edit_sends().give_up_sends(reason, at, SENDS)?;
                for send in &sends {
                    changed(uow, send, at)?;
                }
                Ok::<_, Error>(sends.len())
            });
            let some = some.await?;
            given_up += some as u64;
            if some == 0 {
                break;
            }
        }
        let mut epoch = [0; 8];
        self.ports.secrets.fill(&mut epoch);
        let epoch = format!("{:016x}", u64::from_be_bytes(epoch));
        let told: Vec<(String, String)> = told
            .iter()
            .map(|(field, value)| ((*field).to_owned(), value.clone()))
            .collect();
        self.act(actor, Action::ManageBackups, move |uow, at| {
            uow.edit_backups().forget_passing(&epoch)?;
            uow.edit_backups().set_pause(Some(Pause { since: at, cause }))?;
            let act = match cause {
                PauseCause::Restored => Act::BackupRestored,
                PauseCause::Copied => Act::DatabaseCopied,
            };
            let deed = told.iter().fold(Deed::of(act), |deed, (field, value)| {
                deed.value(field, None, Some(value.clone()))
            });
            Ok(deed.gives(()))
        })
        .await?;
        Ok(given_up)
    }

    /// Writes that the secret key was printed for the safe. To be called before it is shown.
    pub async fn note_key_sheet(&self, actor: &Actor) -> Result<(), Error> {
        self.log(actor, Action::ManageBackups, Deed::of(Act::KeySheetPrinted))
            .await
    }
}

/// What one must be allowed to do for it.
fn taking(daily: bool) -> Action {
    if daily {
        Action::KeepHouse
    } else {
        Action::ManageBackups
    }
}
