//! Backups, the pause after a restore, and what does not outlive one.

use crm_domain::backups::{
    Backup, BackupId, BackupQueries, BackupRepository, BackupState, GOOD_REMEMBERED, NewBackup, Pause,
    PauseCause, REMEMBERED, Taken,
};
use crm_domain::instant::Instant;
use crm_domain::ports::blobs::BlobHash;
use crm_domain::ports::store::StoreError;
use diesel::prelude::*;

use super::{Backend, Conn, Uow};
use crate::fault::Fault;
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
                missing_files: row.problem.as_deref().map_or(0, missing_files),
            }),
            _ => None,
        };
        let problem = row.problem.filter(|_| state != BackupState::Good);
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
            problem,
        })
    }
}

/// All backups, or those of the shelf in this folder, as [`Backup::is_on_shelf`] says.
fn lying(shelf: Option<&str>) -> backups::BoxedQuery<'static, Backend> {
    let Some(folder) = shelf else {
        return backups::table.into_boxed();
    };
    let mut inside = String::with_capacity(folder.len() + 2);
    for sign in folder.chars().chain([std::path::MAIN_SEPARATOR]) {
        if matches!(sign, '%' | '_' | '\\') {
            inside.push('\\');
        }
        inside.push(sign);
    }
    let deeper = format!("{inside}%{}%", std::path::MAIN_SEPARATOR);
    let there = backups::file
        .like(format!("{inside}%"))
        .escape('\\')
        .and(backups::file.not_like(deeper).escape('\\'));
    backups::table
        .filter(backups::daily.or(backups::file.eq("")).or(there))
        .into_boxed()
}

fn newest(conn: &mut Conn, of: backups::BoxedQuery<'static, Backend>) -> Result<Option<Backup>, Fault> {
    let found: Option<Row> = of
        .order_by(backups::id.desc())
        .select(Row::as_select())
        .first(conn)
        .optional()?;
    Ok(found.map(Backup::try_from).transpose()?)
}

/// Forgets what is more than is remembered, when the one of this number begins.
fn forget(conn: &mut Conn, id: i64) -> QueryResult<()> {
    let good = || backups::state.eq(BackupState::Good.code());
    let others = backups::table.filter(backups::id.le(id - rows(REMEMBERED)));
    diesel::delete(others.filter(diesel::dsl::not(good()))).execute(conn)?;
    let newest = backups::table.filter(good()).order_by(backups::id.desc());
    let first: Option<i64> = newest
        .offset(rows(GOOD_REMEMBERED))
        .select(backups::id)
        .first(conn)
        .optional()?;
    if let Some(first) = first {
        diesel::delete(backups::table.filter(good()).filter(backups::id.le(first))).execute(conn)?;
    }
    Ok(())
}

/// How the note begins that a good backup has no problem but files that were gone.
const MISSING: &str = "missing_files ";

fn missing_note(count: u64) -> Option<String> {
    (count > 0).then(|| format!("{MISSING}{count}"))
}

fn missing_files(note: &str) -> u64 {
    let count = note.strip_prefix(MISSING).map(str::parse);
    count.and_then(Result::ok).unwrap_or_default()
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

    fn last_backup(&mut self, folder: Option<&str>) -> Result<Option<Backup>, StoreError> {
        self.run(|conn| newest(conn, lying(folder)))
    }

    fn last_good_backup(&mut self, folder: Option<&str>) -> Result<Option<Backup>, StoreError> {
        self.run(|conn| {
            newest(
                conn,
                lying(folder).filter(backups::state.eq(BackupState::Good.code())),
            )
        })
    }

    fn good_backups(&mut self, limit: usize) -> Result<Vec<Backup>, StoreError> {
        self.run(|conn| {
            let good = backups::table.filter(backups::state.eq(BackupState::Good.code()));
            let newest = good.order_by(backups::id.desc()).limit(rows(limit));
            let found: Vec<Row> = newest.select(Row::as_select()).load(conn)?;
            let all: Result<_, StoreError> = found.into_iter().map(Backup::try_from).collect();
            Ok(all?)
        })
    }

    fn first_backup_at(&mut self) -> Result<Option<Instant>, StoreError> {
        self.run(|conn| {
            let oldest = backups::table.order_by(backups::id).select(backups::started_at);
            let found: Option<Stamp> = oldest.first(conn).optional()?;
            Ok(found.map(|at| at.0))
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
            forget(conn, id)?;
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
                        backups::problem.eq(missing_note(taken.missing_files)),
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
