//! Events in memory.

use std::hash::{BuildHasher, RandomState};

use super::state::State;
use super::unit::Unit;
use crate::events::{Event, EventCursor, EventQueries, EventRepository, NewEvent, Whose};
use crate::instant::Instant;
use crate::ports::store::StoreError;

/// The name of this store's history.
#[derive(Debug, Clone)]
pub(super) struct Epoch(String);

impl Default for Epoch {
    /// Another one for each store: it need not be secret.
    fn default() -> Self {
        Self(format!("{:016x}", RandomState::new().hash_one("epoch")))
    }
}

impl State {
    fn whose(&self, event: &NewEvent) -> Whose {
        if let Some(id) = event.customer_id {
            let row = self.customers.get(id.get());
            return row.map_or(Whose::Nobodys, |row| {
                Whose::Customers(row.customer.owner_id, row.customer.team_id)
            });
        }
        let Some(id) = event.conversation_id else {
            return Whose::Everybodys;
        };
        match self.conversations.get(id.get()).map(|talk| &talk.standing) {
            None => Whose::Nobodys,
            Some(standing) if standing.customer_id.is_none() => Whose::Everybodys,
            Some(standing) => Whose::Customers(standing.owner_id, standing.team_id),
        }
    }
}

impl EventQueries for Unit {
    fn event_cursor(&mut self) -> Result<EventCursor, StoreError> {
        self.look(|state| EventCursor {
            epoch: state.event_epoch.0.clone(),
            seq: state.events.iter().next_back().map_or(0, |(seq, _)| seq),
        })
    }

    fn events_after(&mut self, seq: i64, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.look(|state| {
            let rows = state.events.iter_after(seq).take(limit);
            let event = |(seq, what): (i64, &NewEvent)| Event {
                seq,
                what: *what,
                whose: state.whose(what),
            };
            rows.map(event).collect()
        })
    }

    fn oldest_event(&mut self) -> Result<Option<i64>, StoreError> {
        self.look(|state| state.events.iter().next().map(|(seq, _)| seq))
    }
}

impl EventRepository for Unit {
    fn add_events(&mut self, events: &[NewEvent]) -> Result<(), StoreError> {
        self.change(|state| {
            for event in events {
                state.events.insert(|_| *event);
            }
            Ok(())
        })
    }

    fn prune_events(&mut self, before: Instant, keep: usize, limit: usize) -> Result<usize, StoreError> {
        self.change(|state| {
            let newest = state.events.iter().next_back().map_or(0, |(seq, _)| seq);
            let rows = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
            let beyond = newest.saturating_sub(rows(keep));
            let oldest = state.events.iter().next().map_or(0, |(seq, _)| seq);
            let end = newest.min(oldest.saturating_add(rows(limit)));
            let count = state.events.iter().count();
            state
                .events
                .retain_rows(|seq, row| seq >= end || (row.at >= before && seq > beyond));
            Ok(count - state.events.iter().count())
        })
    }
}
