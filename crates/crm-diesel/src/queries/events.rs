//! Events.

use std::collections::{BTreeSet, HashMap};

use crm_domain::companies::CompanyId;
use crm_domain::conversations::ConversationId;
use crm_domain::customers::CustomerId;
use crm_domain::events::{Event, EventCursor, EventKind, EventQueries, EventRepository, NewEvent, Whose};
use crm_domain::instant::Instant;
use crm_domain::members::MemberId;
use crm_domain::ports::store::StoreError;
use crm_domain::teams::TeamId;
use diesel::dsl::{max, min};
use diesel::prelude::*;

use super::{Conn, Uow};
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
}

impl Row {
    fn event(self, owned: &Owned) -> Result<Event, StoreError> {
        let kind = EventKind::from_code(&self.kind).ok_or_else(|| corrupt("events", "kind", self.id))?;
        Ok(Event {
            seq: self.id,
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

impl EventQueries for Uow<'_> {
    fn event_cursor(&mut self) -> Result<EventCursor, StoreError> {
        self.run(|conn| {
            let epoch = event_epoch::table.select(event_epoch::epoch).first(conn)?;
            let newest: Option<i64> = events::table.select(max(events::id)).first(conn)?;
            Ok(EventCursor {
                epoch,
                seq: newest.unwrap_or_default(),
            })
        })
    }

    fn events_after(&mut self, seq: i64, limit: usize) -> Result<Vec<Event>, StoreError> {
        let (found, owned) = self.run(|conn| {
            let after = events::table.filter(events::id.gt(seq)).order_by(events::id);
            let found: Vec<Row> = after.limit(rows(limit)).load(conn)?;
            let owned = Owned::look_up(conn, &found)?;
            Ok((found, owned))
        })?;
        found.into_iter().map(|row| row.event(&owned)).collect()
    }

    fn oldest_event(&mut self) -> Result<Option<i64>, StoreError> {
        self.run(|conn| Ok(events::table.select(min(events::id)).first(conn)?))
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
            let newest: Option<i64> = events::table.select(max(events::id)).first(conn)?;
            let oldest: Option<i64> = events::table.select(min(events::id)).first(conn)?;
            let (Some(newest), Some(oldest)) = (newest, oldest) else {
                return Ok(0);
            };
            let end = newest.min(oldest.saturating_add(rows(limit)));
            let beyond = newest.saturating_sub(rows(keep));
            let old = events::at.lt(Stamp(before)).or(events::id.le(beyond));
            let forgotten = diesel::delete(events::table.filter(events::id.lt(end)).filter(old));
            Ok::<_, Fault>(forgotten.execute(conn)?)
        })
    }
}
