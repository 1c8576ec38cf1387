//! Events in memory.

use std::hash::{BuildHasher, RandomState};

use super::state::State;
use super::unit::Unit;
use crate::events::{Event, EventCursor, EventPlace, EventQueries, EventRepository, NewEvent, Whose};
use crate::instant::Instant;
use crate::ports::store::StoreError;

/// The name of this store's history, and the last number that was forgotten.
#[derive(Debug, Clone)]
pub(super) struct Epoch {
    name: String,
    forgotten: i64,
}

impl Default for Epoch {
    /// Another one for each store: it need not be secret.
    fn default() -> Self {
        Self {
            name: format!("{:016x}", RandomState::new().hash_one("epoch")),
            forgotten: 0,
        }
    }
}

impl Epoch {
    /// A history of this name, of which nothing was forgotten.
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            forgotten: 0,
        }
    }
}

/// One writes at a time here, so numbers alone are the order.
fn place(seq: i64) -> EventPlace {
    EventPlace { xid: 0, seq }
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
            epoch: state.event_epoch.name.clone(),
            place: place(state.events.iter().next_back().map_or(0, |(seq, _)| seq)),
        })
    }

    fn events_after(&mut self, after: EventPlace, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.look(|state| {
            let rows = state.events.iter_after(after.seq).take(limit);
            let event = |(seq, what): (i64, &NewEvent)| Event {
                place: place(seq),
                what: *what,
                whose: state.whose(what),
            };
            rows.map(event).collect()
        })
    }

    fn has_event(&mut self, place: EventPlace) -> Result<bool, StoreError> {
        self.look(|state| state.events.get(place.seq).is_some())
    }

    fn events_forgotten(&mut self) -> Result<EventPlace, StoreError> {
        self.look(|state| place(state.event_epoch.forgotten))
    }

    fn events_are_foreign(&mut self) -> Result<bool, StoreError> {
        self.look(|_| false)
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
            let beyond = newest.saturating_sub(i64::try_from(keep).unwrap_or(i64::MAX));
            let oldest = state.events.iter().take(limit).filter(|(seq, _)| *seq < newest);
            let old = oldest.filter(|(seq, row)| row.at < before || *seq <= beyond);
            let Some(end) = old.map(|(seq, _)| seq).last() else {
                return Ok(0);
            };
            let count = state.events.iter().count();
            state.events.retain_rows(|seq, _| seq > end);
            state.event_epoch.forgotten = end;
            Ok(count - state.events.iter().count())
        })
    }

    fn renew_epoch(&mut self) -> Result<(), StoreError> {
        self.change(|state| {
            state.events.retain(|_| false);
            state.event_epoch = Epoch::default();
            Ok(())
        })
    }
}
