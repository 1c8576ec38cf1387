//! Events.

use std::collections::{BTreeSet, HashMap};

use crm_domain::companies::CompanyId;
use crm_domain::conversations::ConversationId;
use crm_domain::customers::CustomerId;
use crm_domain::events::{
    Event, EventCursor, EventKind, EventPlace, EventQueries, EventRepository, NewEvent, Whose,
};
use crm_domain::instant::Instant;
use crm_domain::members::MemberId;
use crm_domain::ports::store::StoreError;
use crm_domain::teams::TeamId;
use diesel::dsl::exists;
use diesel::prelude::*;

use super::{Conn, Uow, dialect};
use crate::fault::Fault;
use crate::found::{in_pieces, rows};
use crate::mend::corrupt;
use crate::schema::{conversations, customers, event_epoch, events};
use crate::stamp::Stamp;

#[derive(Queryable)]
struct Row {
    id: i64,
    kind: String,
    conversation_id: Option<i64>,
    customer_id: Option<i64>,
    company_id: Option<i64>,
    member_id: Option<i64>,
    at: Stamp,
    xid: i64,
}

impl Row {
    fn event(self, owned: &Owned) -> Result<Event, StoreError> {
        let kind = EventKind::from_code(&self.kind).ok_or_else(|| corrupt("events", "kind", self.id))?;
        Ok(Event {
            place: EventPlace {
                xid: self.xid,
                seq: self.id,
            },
            what: NewEvent {
                kind,
                conversation_id: self.conversation_id.map(ConversationId::new),
                customer_id: self.customer_id.map(CustomerId::new),
                company_id: self.company_id.map(CompanyId::new),
                member_id: self.member_id.map(MemberId::new),
                at: self.at.0,
            },
            whose: owned.of(self.customer_id, self.conversation_id),
        })
    }
}

/// Owner and team of a record; `None` where it is nobody's customer's.
type Ownership = Option<(Option<i64>, Option<i64>)>;

/// A conversation's id, customer, owner and team.
type TalkRow = (i64, Option<i64>, Option<i64>, Option<i64>);

/// Whose the records of some events are.
struct Owned {
    customers: HashMap<i64, Ownership>,
    talks: HashMap<i64, Ownership>,
}

impl Owned {
    fn look_up(conn: &mut Conn, events: &[Row]) -> Result<Self, Fault> {
        let ids = |id: fn(&Row) -> Option<i64>| -> Vec<i64> {
            let ids: BTreeSet<i64> = events.iter().filter_map(id).collect();
            ids.into_iter().collect()
        };
        let found: Vec<(i64, Option<i64>, Option<i64>)> = in_pieces(&ids(|row| row.customer_id), |ids| {
            Ok(customers::table
                .filter(customers::id.eq_any(ids))
                .select((customers::id, customers::owner_id, customers::team_id))
                .load(conn)?)
        })?;
        let of_customers = found
            .into_iter()
            .map(|(id, owner, team)| (id, Some((owner, team))));
        let found: Vec<TalkRow> = in_pieces(&ids(|row| row.conversation_id), |ids| {
            Ok(conversations::table
                .filter(conversations::id.eq_any(ids))
                .select((
                    conversations::id,
                    conversations::customer_id,
                    conversations::owner_id,
                    conversations::team_id,
                ))
                .load(conn)?)
        })?;
        let talks = found
            .into_iter()
            .map(|(id, customer, owner, team)| (id, customer.map(|_| (owner, team))));
        Ok(Self {
            customers: of_customers.collect(),
            talks: talks.collect(),
        })
    }

    fn of(&self, customer: Option<i64>, talk: Option<i64>) -> Whose {
        let found = match (customer, talk) {
            (Some(id), _) => self.customers.get(&id),
            (None, Some(id)) => self.talks.get(&id),
            (None, None) => return Whose::Everybodys,
        };
        match found {
            None => Whose::Nobodys,
            Some(None) => Whose::Everybodys,
            Some(Some((owner, team))) => Whose::Customers(owner.map(MemberId::new), team.map(TeamId::new)),
        }
    }
}

/// The last place behind which events are only ever added.
fn end(conn: &mut Conn) -> Result<EventPlace, Fault> {
    let newest = dialect::newest_events().select((events::xid, events::id));
    let newest: Option<(i64, i64)> = newest.limit(1).get_result(conn).optional()?;
    Ok(newest.map_or_else(EventPlace::default, place))
}

fn place((xid, seq): (i64, i64)) -> EventPlace {
    EventPlace { xid, seq }
}

impl EventQueries for Uow<'_> {
    fn event_cursor(&mut self) -> Result<EventCursor, StoreError> {
        self.run(|conn| {
            let named = event_epoch::table.select(dialect::epoch_name());
            let epoch = named.first(conn)?;
            Ok(EventCursor {
                epoch,
                place: end(conn)?,
            })
        })
    }

    fn events_after(&mut self, place: EventPlace, limit: usize) -> Result<Vec<Event>, StoreError> {
        let (found, owned) = self.run(|conn| {
            let after = dialect::events_beyond(place).select(events::all_columns);
            let found: Vec<Row> = after.limit(rows(limit)).load(conn)?;
            let owned = Owned::look_up(conn, &found)?;
            Ok((found, owned))
        })?;
        found.into_iter().map(|row| row.event(&owned)).collect()
    }

    fn has_event(&mut self, place: EventPlace) -> Result<bool, StoreError> {
        self.run(|conn| {
            let there = events::table
                .filter(events::id.eq(place.seq))
                .filter(events::xid.eq(place.xid));
            Ok(diesel::select(exists(there)).get_result(conn)?)
        })
    }

    fn events_forgotten(&mut self) -> Result<EventPlace, StoreError> {
        self.run(|conn| {
            let last = event_epoch::table.select((event_epoch::forgotten_xid, event_epoch::forgotten_seq));
            Ok(place(last.first(conn)?))
        })
    }

    fn events_are_foreign(&mut self) -> Result<bool, StoreError> {
        self.run(dialect::events_are_foreign)
    }
}

impl EventRepository for Uow<'_> {
    fn add_events(&mut self, new: &[NewEvent]) -> Result<(), StoreError> {
        self.run(|conn| {
            for event in new {
                diesel::insert_into(events::table)
                    .values((
                        events::kind.eq(event.kind.code()),
                        events::conversation_id.eq(event.conversation_id.map(ConversationId::get)),
                        events::customer_id.eq(event.customer_id.map(CustomerId::get)),
                        events::company_id.eq(event.company_id.map(CompanyId::get)),
                        events::member_id.eq(event.member_id.map(MemberId::get)),
                        events::at.eq(Stamp(event.at)),
                    ))
                    .execute(conn)?;
            }
            Ok(())
        })
    }

    fn prune_events(&mut self, before: Instant, keep: usize, limit: usize) -> Result<usize, StoreError> {
        self.run(|conn| {
            let newest = end(conn)?;
            let beyond = newest.seq.saturating_sub(rows(keep));
            let is_old = |row: &OldRow| row.2.0 < before || row.1 <= beyond;
            let oldest = || dialect::events_beyond(EventPlace::default()).select(PLACE_AND_TIME);
            // Mostly there is nothing to be forgotten, and that is seen by the first one.
            let first: Option<OldRow> = oldest().limit(1).get_result(conn).optional()?;
            if !first.as_ref().is_some_and(is_old) {
                return Ok(0);
            }
            let found: Vec<OldRow> = oldest().limit(rows(limit)).load(conn)?;
            let mut forgettable = found
                .into_iter()
                .filter(|row| is_old(row) && place((row.0, row.1)) < newest);
            let Some((xid, seq, _)) = forgettable.next_back() else {
                return Ok(0);
            };
            forget(conn, EventPlace { xid, seq })
        })
    }

    fn renew_epoch(&mut self) -> Result<(), StoreError> {
        self.run(|conn| {
            diesel::delete(events::table).execute(conn)?;
            diesel::update(event_epoch::table)
                .set((
                    event_epoch::epoch.eq(dialect::new_epoch()),
                    event_epoch::forgotten_xid.eq(0),
                    event_epoch::forgotten_seq.eq(0),
                ))
                .execute(conn)?;
            Ok(())
        })
    }
}

/// Transaction, number and time of an event.
type OldRow = (i64, i64, Stamp);

const PLACE_AND_TIME: (events::xid, events::id, events::at) = (events::xid, events::id, events::at);

/// Forgets everything up to `last`, and remembers that it did.
fn forget(conn: &mut Conn, last: EventPlace) -> Result<usize, Fault> {
    let forgotten = diesel::delete(events::table.filter(dialect::events_up_to(last))).execute(conn)?;
    diesel::update(event_epoch::table)
        .set((
            event_epoch::forgotten_xid.eq(last.xid),
            event_epoch::forgotten_seq.eq(last.seq),
        ))
        .execute(conn)?;
    Ok(forgotten)
}
