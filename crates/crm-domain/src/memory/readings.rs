//! The reading log in memory.

use super::unit::Unit;
use crate::customers::CustomerId;
use crate::instant::Instant;
use crate::ports::store::StoreError;
use crate::readings::{
    NewReading, Reading, ReadingFilter, ReadingId, ReadingPlace, ReadingQueries, ReadingRepository,
    ReadingRule,
};

fn wanted(filter: &ReadingFilter, what: &NewReading) -> bool {
    filter.member_id.is_none_or(|id| what.by.member_id == Some(id))
        && filter.kind.is_none_or(|kind| what.kind == kind)
        && filter.customer_id.is_none_or(|id| what.customer_id == Some(id))
        && filter.from.is_none_or(|from| what.at >= from)
        && filter.to.is_none_or(|to| what.at < to)
}

impl ReadingQueries for Unit {
    fn reading_rule(&mut self) -> Result<ReadingRule, StoreError> {
        self.look(|state| state.reading_rule)
    }

    fn readings(
        &mut self,
        filter: &ReadingFilter,
        after: Option<ReadingPlace>,
        limit: usize,
    ) -> Result<Vec<Reading>, StoreError> {
        self.look(|state| {
            let rows = state.readings.iter().map(|(id, what)| Reading {
                id: ReadingId::new(id),
                what: what.clone(),
            });
            let mut found: Vec<Reading> = rows
                .filter(|row| after.is_none_or(|place| row.place() < place) && wanted(filter, &row.what))
                .collect();
            found.sort_by_key(|row| std::cmp::Reverse(row.place()));
            found.truncate(limit);
            found
        })
    }

    fn searches(&mut self, after: ReadingId, limit: usize) -> Result<Vec<(ReadingId, String)>, StoreError> {
        self.look(|state| {
            let rows = state.readings.iter_after(after.get());
            rows.filter_map(|(id, row)| Some((ReadingId::new(id), row.words.clone()?)))
                .take(limit)
                .collect()
        })
    }
}

impl ReadingRepository for Unit {
    fn add_readings(&mut self, readings: &[NewReading]) -> Result<(), StoreError> {
        self.change(|state| {
            for reading in readings {
                state.readings.insert(|_| reading.clone());
            }
            Ok(())
        })
    }

    fn set_reading_rule(&mut self, rule: ReadingRule) -> Result<(), StoreError> {
        self.change(|state| {
            state.reading_rule = rule;
            Ok(())
        })
    }

    fn prune_readings(&mut self, before: Instant, limit: usize) -> Result<usize, StoreError> {
        self.change(|state| {
            let old: Vec<i64> = state
                .readings
                .iter()
                .filter(|(_, row)| row.at < before)
                .map(|(id, _)| id)
                .take(limit)
                .collect();
            state.readings.retain_rows(|id, _| !old.contains(&id));
            Ok(old.len())
        })
    }

    fn forget_readings_of(&mut self, customer: CustomerId) -> Result<usize, StoreError> {
        self.change(|state| {
            let count = state.readings.iter().count();
            state.readings.retain(|row| row.customer_id != Some(customer));
            Ok(count - state.readings.iter().count())
        })
    }

    fn empty_searches(&mut self, ids: &[ReadingId]) -> Result<(), StoreError> {
        self.change(|state| {
            for id in ids {
                if let Some(row) = state.readings.get_mut(id.get()) {
                    row.words = None;
                }
            }
            Ok(())
        })
    }
}
