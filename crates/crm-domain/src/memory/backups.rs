//! Backups in memory.

use super::events::Epoch;
use super::unit::Unit;
use crate::backups::{
    Backup, BackupId, BackupQueries, BackupRepository, BackupState, GOOD_REMEMBERED, NewBackup, Pause,
    REMEMBERED, Taken,
};
use crate::instant::Instant;
use crate::ports::store::StoreError;

fn lies_on(backup: &Backup, shelf: Option<&str>) -> bool {
    shelf.is_none_or(|folder| backup.is_on_shelf(folder))
}

impl BackupQueries for Unit {
    fn backups(&mut self, limit: usize) -> Result<Vec<Backup>, StoreError> {
        self.look(|state| {
            let newest = state.backups.iter().rev().take(limit);
            newest.map(|(_, backup)| backup.clone()).collect()
        })
    }

    fn last_backup(&mut self, folder: Option<&str>) -> Result<Option<Backup>, StoreError> {
        self.look(|state| {
            let mut newest = state.backups.iter().rev().map(|(_, backup)| backup);
            newest.find(|backup| lies_on(backup, folder)).cloned()
        })
    }

    fn last_good_backup(&mut self, folder: Option<&str>) -> Result<Option<Backup>, StoreError> {
        self.look(|state| {
            let newest = state.backups.iter().rev().map(|(_, backup)| backup);
            let mut good = newest.filter(|backup| backup.state == BackupState::Good);
            good.find(|backup| lies_on(backup, folder)).cloned()
        })
    }

    fn good_backups(&mut self, limit: usize) -> Result<Vec<Backup>, StoreError> {
        self.look(|state| {
            let newest = state.backups.iter().rev().map(|(_, backup)| backup);
            let good = newest.filter(|backup| backup.state == BackupState::Good);
            good.take(limit).cloned().collect()
        })
    }

    fn first_backup_at(&mut self) -> Result<Option<Instant>, StoreError> {
        self.look(|state| state.backups.iter().next().map(|(_, backup)| backup.begun.at))
    }

    fn pause(&mut self) -> Result<Option<Pause>, StoreError> {
        self.look(|state| state.pause)
    }
}

impl BackupRepository for Unit {
    fn begin_backup(&mut self, new: &NewBackup) -> Result<BackupId, StoreError> {
        self.change(|state| {
            let id = state.backups.insert(|id| Backup {
                id: BackupId::new(id),
                begun: new.clone(),
                beat_at: new.at,
                finished_at: None,
                state: BackupState::Running,
                taken: None,
                problem: None,
            });
            let kept = i64::try_from(REMEMBERED).unwrap_or(i64::MAX);
            let good = |backup: &Backup| backup.state == BackupState::Good;
            let newest = state.backups.iter().rev().filter(|(_, backup)| good(backup));
            let forgotten = newest
                .map(|(number, _)| number)
                .nth(GOOD_REMEMBERED)
                .unwrap_or_default();
            state
                .backups
                .retain_rows(|number, backup| number > if good(backup) { forgotten } else { id - kept });
            Ok(BackupId::new(id))
        })
    }

    fn beat_backup(&mut self, id: BackupId, at: Instant) -> Result<bool, StoreError> {
        self.change(|state| {
            let running = state.backups.get_mut(id.get());
            let running = running.filter(|backup| backup.state == BackupState::Running);
            Ok(running.map(|backup| backup.beat_at = at).is_some())
        })
    }

    fn end_backup(
        &mut self,
        id: BackupId,
        outcome: Result<&Taken, &str>,
        at: Instant,
    ) -> Result<bool, StoreError> {
        self.change(|state| {
            let running = state.backups.get_mut(id.get());
            let Some(backup) = running.filter(|backup| backup.state == BackupState::Running) else {
                return Ok(false);
            };
            backup.finished_at = Some(at);
            match outcome {
                Ok(taken) => {
                    backup.state = BackupState::Good;
                    backup.begun.file.clone_from(&taken.file);
                    backup.taken = Some(taken.clone());
                }
                Err(problem) => {
                    backup.state = BackupState::Failed;
                    backup.problem = Some(problem.to_owned());
                }
            }
            Ok(true)
        })
    }

    fn set_pause(&mut self, pause: Option<Pause>) -> Result<bool, StoreError> {
        self.change(|state| {
            let changes = state.pause.is_some() != pause.is_some();
            if changes {
                state.pause = pause;
            }
            Ok(changes)
        })
    }

    fn forget_passing(&mut self, epoch: &str) -> Result<(), StoreError> {
        self.change(|state| {
            state.sessions.retain(|_| false);
            state.links.retain(|_| false);
            state.setup_links.retain(|_| false);
            state.pending_sign_ins.retain(|_| false);
            state.failed_sign_ins.retain(|_| false);
            state.operations.retain(|_| false);
            state.departures.retain(|_| false);
            state.send_budgets.retain(|_| false);
            state.events.retain(|_| false);
            state
                .backups
                .retain(|backup| backup.state != BackupState::Running);
            state.event_epoch = Epoch::new(epoch);
            Ok(())
        })
    }
}
