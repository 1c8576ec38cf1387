//! Events.

use crm_domain::companies::CompanyId;
use crm_domain::conversations::ConversationId;
use crm_domain::customers::CustomerId;
use crm_domain::events::{Event, EventCursor, EventKind, EventQueries, EventRepository, NewEvent};
use crm_domain::instant::Instant;
use crm_domain::members::MemberId;
use crm_domain::ports::store::StoreError;
use diesel::dsl::{max, min};
use diesel::prelude::*;

use super::Uow;
use crate::fault::Fault;
use crate::found::rows;
use crate::mend::corrupt;
use crate::schema::{event_epoch, events};
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
    fn event(self) -> Result<Event, StoreError> {
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
        })
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
        let found: Vec<Row> = self.run(|conn| {
            let after = events::table.filter(events::id.gt(seq)).order_by(events::id);
            Ok(after.limit(rows(limit)).load(conn)?)
        })?;
        found.into_iter().map(Row::event).collect()
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
