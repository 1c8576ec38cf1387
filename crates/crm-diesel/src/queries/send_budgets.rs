//! Send budgets.

use crm_domain::instant::Instant;
use crm_domain::ports::store::StoreError;
use crm_domain::send_budgets::{Budget, BudgetKey, BudgetQueries, BudgetRepository};
use crm_domain::sends::SendId;
use diesel::prelude::*;
use diesel::upsert::excluded;

use super::{Conn, Uow};
use crate::fault::Fault;
use crate::schema::{departures, send_budgets};
use crate::stamp::Stamp;

type BudgetRow = (Option<i32>, Option<Stamp>, Option<Stamp>, Option<Stamp>);

fn last_of(conn: &mut Conn, send: SendId) -> Result<Option<i64>, Fault> {
    let last = departures::table
        .filter(departures::send_id.eq(send.get()))
        .order_by(departures::id.desc())
        .select(departures::id)
        .first(conn);
    Ok(last.optional()?)
}

impl BudgetQueries for Uow<'_> {
    fn budget(&mut self, key: &BudgetKey) -> Result<Budget, StoreError> {
        self.run(|conn| {
            let known: Option<BudgetRow> = send_budgets::table
                .find((&key.domain, &key.operation))
                .select((
                    send_budgets::said_limit,
                    send_budgets::blocked_until,
                    send_budgets::run_began,
                    send_budgets::last_at,
                ))
                .first(conn)
                .optional()?;
            let (limit, blocked, began, last) = known.unwrap_or_default();
            Ok(Budget {
                said_limit: limit.and_then(|limit| u32::try_from(limit).ok()),
                blocked_until: blocked.map(|at| at.0),
                run_began: began.map(|at| at.0),
                last_at: last.map(|at| at.0),
            })
        })
    }

    fn departures_since(&mut self, key: &BudgetKey, since: Instant) -> Result<Vec<Instant>, StoreError> {
        self.run(|conn| {
            let gone: Vec<Stamp> = departures::table
                .filter(departures::domain.eq(&key.domain))
                .filter(departures::operation.eq(&key.operation))
                .filter(departures::at.gt(Stamp(since)))
                .order_by(departures::at)
                .select(departures::at)
                .load(conn)?;
            Ok(gone.into_iter().map(|at| at.0).collect())
        })
    }
}

impl BudgetRepository for Uow<'_> {
    fn keep_budget(&mut self, key: &BudgetKey, budget: &Budget) -> Result<(), StoreError> {
        self.run(|conn| {
            let limit = budget
                .said_limit
                .map(|limit| i32::try_from(limit).unwrap_or(i32::MAX));
            diesel::insert_into(send_budgets::table)
                .values((
                    send_budgets::domain.eq(&key.domain),
                    send_budgets::operation.eq(&key.operation),
                    send_budgets::said_limit.eq(limit),
                    send_budgets::blocked_until.eq(budget.blocked_until.map(Stamp)),
                    send_budgets::run_began.eq(budget.run_began.map(Stamp)),
                    send_budgets::last_at.eq(budget.last_at.map(Stamp)),
                ))
                .on_conflict((send_budgets::domain, send_budgets::operation))
                .do_update()
                .set((
                    send_budgets::said_limit.eq(excluded(send_budgets::said_limit)),
                    send_budgets::blocked_until.eq(excluded(send_budgets::blocked_until)),
                    send_budgets::run_began.eq(excluded(send_budgets::run_began)),
                    send_budgets::last_at.eq(excluded(send_budgets::last_at)),
                ))
                .execute(conn)?;
            Ok(())
        })
    }

    fn add_departure(&mut self, key: &BudgetKey, send: SendId, at: Instant) -> Result<(), StoreError> {
        self.run(|conn| {
            diesel::insert_into(departures::table)
                .values((
                    departures::domain.eq(&key.domain),
                    departures::operation.eq(&key.operation),
                    departures::send_id.eq(send.get()),
                    departures::at.eq(Stamp(at)),
                ))
                .execute(conn)?;
            Ok(())
        })
    }

    fn move_departure(&mut self, send: SendId, at: Instant) -> Result<(), StoreError> {
        self.run(|conn| {
            if let Some(id) = last_of(conn, send)? {
                diesel::update(departures::table.find(id))
                    .set(departures::at.eq(Stamp(at)))
                    .execute(conn)?;
            }
            Ok(())
        })
    }

    fn remove_departure(&mut self, send: SendId) -> Result<(), StoreError> {
        self.run(|conn| {
            if let Some(id) = last_of(conn, send)? {
                diesel::delete(departures::table.find(id)).execute(conn)?;
            }
            Ok(())
        })
    }

    fn tidy_departures(&mut self, key: &BudgetKey, oldest: Instant, now: Instant) -> Result<(), StoreError> {
        self.run(|conn| {
            let of_key = departures::domain
                .eq(&key.domain)
                .and(departures::operation.eq(&key.operation));
            let old = departures::table.filter(of_key.and(departures::at.lt(Stamp(oldest))));
            diesel::delete(old).execute(conn)?;
            let later = departures::table.filter(of_key.and(departures::at.gt(Stamp(now))));
            diesel::update(later)
                .set(departures::at.eq(Stamp(now)))
                .execute(conn)?;
            Ok(())
        })
    }
}
