//! Backups, the pause after a restore, and what does not outlive one.

use crm_domain::backups::{
    Backup, BackupId, BackupQueries, BackupRepository, BackupState, NewBackup, Pause, PauseCause, REMEMBERED,
    Taken,
};
use crm_domain::instant::Instant;
use crm_domain::ports::blobs::BlobHash;
use crm_domain::ports::store::StoreError;
use diesel::prelude::*;

use super::Uow;
use crate::found::rows;
use crate::mend::corrupt;
use crate::schema::{backups, event_epoch, paused};
use crate::stamp::Stamp;

/// Tables that hold nothing but what belongs to a moment of the store's past.
const PASSING: &[&str] = &[
    "sessions",
    "one_time_links",
    "pending_sign_ins",
    "setup_links",
    "failed_sign_ins",
    "operations",
    "departures",
    "send_budgets",
    "events",
    "leases",
    "shared_counts",
    "access_tokens",
    "idempotency_keys",
];

#[derive(Queryable, Selectable)]
#[diesel(table_name = backups)]
struct Row {
    id: i64,
    started_at: Stamp,
    beat_at: Stamp,
    finished_at: Option<Stamp>,
    daily: bool,
    taken_by: String,
    file: String,
    size: i64,
    digest: String,
    encrypted: bool,
    state: String,
    problem: Option<String>,
}

impl TryFrom<Row> for Backup {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let state = BackupState::from_code(&row.state).ok_or_else(|| corrupt("backups", "state", row.id))?;
        let taken = match state {
            BackupState::Good => Some(Taken {
                file: row.file.clone(),
                size: u64::try_from(row.size).unwrap_or_default(),
                hash: BlobHash::from_hex(&row.digest).ok_or_else(|| corrupt("backups", "digest", row.id))?,
                encrypted: row.encrypted,
            }),
            _ => None,
        };
        Ok(Self {
            id: BackupId::new(row.id),
            begun: NewBackup {
                at: row.started_at.0,
                daily: row.daily,
                by: row.taken_by,
                file: row.file,
            },
            beat_at: row.beat_at.0,
            finished_at: row.finished_at.map(|at| at.0),
            state,
            taken,
            problem: row.problem,
        })
    }
}

impl BackupQueries for Uow<'_> {
    fn backups(&mut self, limit: usize) -> Result<Vec<Backup>, StoreError> {
        self.run(|conn| {
            let newest = backups::table.order_by(backups::id.desc()).limit(rows(limit));
            let found: Vec<Row> = newest.select(Row::as_select()).load(conn)?;
            let all: Result<_, StoreError> = found.into_iter().map(Backup::try_from).collect();
            Ok(all?)
        })
    }

    fn last_good_backup(&mut self) -> Result<Option<Backup>, StoreError> {
        self.run(|conn| {
            let good = backups::table.filter(backups::state.eq(BackupState::Good.code()));
            let newest = good.order_by(backups::id.desc()).select(Row::as_select());
            let found: Option<Row> = newest.first(conn).optional()?;
            Ok(found.map(Backup::try_from).transpose()?)
        })
    }

    fn pause(&mut self) -> Result<Option<Pause>, StoreError> {
        self.run(|conn| {
            let found: Option<(Stamp, String)> = paused::table
                .select((paused::since, paused::cause))
                .first(conn)
                .optional()?;
            let Some((since, cause)) = found else {
                return Ok(None);
            };
            let cause = PauseCause::from_code(&cause).ok_or_else(|| corrupt("paused", "cause", 1))?;
            Ok(Some(Pause {
                since: since.0,
                cause,
            }))
        })
    }
}

impl BackupRepository for Uow<'_> {
    fn begin_backup(&mut self, new: &NewBackup) -> Result<BackupId, StoreError> {
        self.run(|conn| {
            let id: i64 = diesel::insert_into(backups::table)
                .values((
                    backups::started_at.eq(Stamp(new.at)),
                    backups::beat_at.eq(Stamp(new.at)),
                    backups::daily.eq(new.daily),
                    backups::taken_by.eq(&new.by),
                    backups::file.eq(&new.file),
                    backups::state.eq(BackupState::Running.code()),
                ))
                .returning(backups::id)
                .get_result(conn)?;
            diesel::delete(backups::table.filter(backups::id.le(id - rows(REMEMBERED)))).execute(conn)?;
            Ok(BackupId::new(id))
        })
    }

    fn beat_backup(&mut self, id: BackupId, at: Instant) -> Result<bool, StoreError> {
        self.run(|conn| {
            let running = backups::table
                .find(id.get())
                .filter(backups::state.eq(BackupState::Running.code()));
            let changed = diesel::update(running).set(backups::beat_at.eq(Stamp(at)));
            Ok(changed.execute(conn)? == 1)
        })
    }

    fn end_backup(
        &mut self,
        id: BackupId,
        outcome: Result<&Taken, &str>,
        at: Instant,
    ) -> Result<bool, StoreError> {
        self.run(|conn| {
            let running = backups::table
                .find(id.get())
                .filter(backups::state.eq(BackupState::Running.code()));
            let finished = backups::finished_at.eq(Some(Stamp(at)));
            let changed = match outcome {
                Ok(taken) => diesel::update(running)
                    .set((
                        finished,
                        backups::state.eq(BackupState::Good.code()),
                        backups::file.eq(&taken.file),
                        backups::size.eq(i64::try_from(taken.size).unwrap_or(i64::MAX)),
                        backups::digest.eq(taken.hash.to_string()),
                        backups::encrypted.eq(taken.encrypted),
                    ))
                    .execute(conn)?,
                Err(problem) => diesel::update(running)
                    .set((
                        finished,
                        backups::state.eq(BackupState::Failed.code()),
                        backups::problem.eq(Some(problem)),
                    ))
                    .execute(conn)?,
            };
            Ok(changed == 1)
        })
    }

    fn set_pause(&mut self, pause: Option<Pause>) -> Result<bool, StoreError> {
        self.run(|conn| {
            let Some(pause) = pause else {
                return Ok(diesel::delete(paused::table).execute(conn)? > 0);
            };
            let added = diesel::insert_into(paused::table)
                .values((
                    paused::id.eq(1),
                    paused::since.eq(Stamp(pause.since)),
                    paused::cause.eq(pause.cause.code()),
                ))
                .on_conflict_do_nothing()
                .execute(conn)?;
            Ok(added == 1)
        })
    }

    fn forget_passing(&mut self, epoch: &str) -> Result<(), StoreError> {
        self.run(|conn| {
            for table in PASSING {
                diesel::sql_query(format!("DELETE FROM {table}")).execute(conn)?;
            }
            let running = backups::state.eq(BackupState::Running.code());
            diesel::delete(backups::table.filter(running)).execute(conn)?;
            diesel::update(event_epoch::table)
                .set(event_epoch::epoch.eq(epoch))
                .execute(conn)?;
            Ok(())
        })
    }
}
