//! Send budgets in memory.

use super::unit::Unit;
use crate::instant::Instant;
use crate::ports::store::StoreError;
use crate::send_budgets::{Budget, BudgetKey, BudgetQueries, BudgetRepository};
use crate::sends::SendId;

#[derive(Debug, Clone)]
pub(super) struct DepartureRow {
    id: i64,
    key: BudgetKey,
    pub(super) send: SendId,
    at: Instant,
}

#[derive(Debug, Clone)]
pub(super) struct BudgetRow {
    key: BudgetKey,
    budget: Budget,
}

impl BudgetQueries for Unit {
    fn budget(&mut self, key: &BudgetKey) -> Result<Budget, StoreError> {
        self.look(|state| {
            let known = state.send_budgets.iter().find(|(_, row)| row.key == *key);
            known.map(|(_, row)| row.budget).unwrap_or_default()
        })
    }

    fn departures_since(&mut self, key: &BudgetKey, since: Instant) -> Result<Vec<Instant>, StoreError> {
        self.look(|state| {
            let rows = state.departures.iter().map(|(_, row)| row);
            let mut gone: Vec<Instant> = rows
                .filter(|row| row.key == *key && row.at > since)
                .map(|row| row.at)
                .collect();
            gone.sort();
            gone
        })
    }
}

impl BudgetRepository for Unit {
    fn keep_budget(&mut self, key: &BudgetKey, budget: &Budget) -> Result<(), StoreError> {
        self.change(|state| {
            state.send_budgets.retain(|row| row.key != *key);
            state.send_budgets.insert(|_| BudgetRow {
                key: key.clone(),
                budget: *budget,
            });
            Ok(())
        })
    }

    fn add_departure(&mut self, key: &BudgetKey, send: SendId, at: Instant) -> Result<(), StoreError> {
        self.change(|state| {
            state.departures.insert(|id| DepartureRow {
                id,
                key: key.clone(),
                send,
                at,
            });
            Ok(())
        })
    }

    fn move_departure(&mut self, send: SendId, at: Instant) -> Result<(), StoreError> {
        self.change(|state| {
            let last = state.departures.iter_mut().filter(|row| row.send == send).last();
            if let Some(row) = last {
                row.at = at;
            }
            Ok(())
        })
    }

    fn remove_departure(&mut self, send: SendId) -> Result<(), StoreError> {
        self.change(|state| {
            let last = {
                let mut rows = state.departures.iter().map(|(_, row)| row);
                rows.rfind(|row| row.send == send).map(|row| row.id)
            };
            state.departures.retain(|row| Some(row.id) != last);
            Ok(())
        })
    }

    fn tidy_departures(&mut self, key: &BudgetKey, oldest: Instant, now: Instant) -> Result<(), StoreError> {
        self.change(|state| {
            state.departures.retain(|row| row.key != *key || row.at >= oldest);
            let later = state.departures.iter_mut().filter(|row| row.key == *key);
            later.for_each(|row| row.at = row.at.min(now));
            Ok(())
        })
    }
}
