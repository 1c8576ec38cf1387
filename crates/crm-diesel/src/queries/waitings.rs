//! Waitings.

use crm_domain::conversations::ConversationId;
use crm_domain::instant::Instant;
use crm_domain::members::MemberId;
use crm_domain::ports::store::StoreError;
use crm_domain::waitings::{Ended, Waiting, WaitingEnd, WaitingId, WaitingQueries, WaitingRepository};
use diesel::prelude::*;

use super::{Conn, Uow};
use crate::cached::update;
use crate::found::rows;
use crate::mend::corrupt;
use crate::schema::waitings;
use crate::stamp::Stamp;

#[derive(Queryable, Selectable)]
#[diesel(table_name = waitings)]
struct WaitingRow {
    id: i64,
    conversation_id: i64,
    since: Stamp,
    until: Option<Stamp>,
    ended: Option<String>,
    ended_by: Option<i64>,
    first_response_at: Option<Stamp>,
}

impl TryFrom<WaitingRow> for Waiting {
    type Error = StoreError;

    fn try_from(row: WaitingRow) -> Result<Self, StoreError> {
        let how = row.ended.as_deref().and_then(WaitingEnd::from_code);
        let ended = row
            .until
            .map(|until| {
                Ok(Ended {
                    until: until.0,
                    how: how.ok_or_else(|| corrupt("waitings", "ended", row.id))?,
                    by: row.ended_by.map(MemberId::new),
                    first_response_at: row.first_response_at.map(|at| at.0),
                })
            })
            .transpose()?;
        Ok(Self {
            id: WaitingId::new(row.id),
            conversation_id: ConversationId::new(row.conversation_id),
            since: row.since.0,
            ended,
        })
    }
}

impl WaitingQueries for Uow<'_> {
    fn waitings_of(
        &mut self,
        conversation: ConversationId,
        limit: usize,
    ) -> Result<Vec<Waiting>, StoreError> {
        self.run(|conn| {
            let found: Vec<WaitingRow> = waitings::table
                .filter(waitings::conversation_id.eq(conversation.get()))
                .order_by(waitings::id.desc())
                .limit(rows(limit))
                .select(WaitingRow::as_select())
                .load(conn)?;
            let found = found.into_iter().map(Waiting::try_from);
            Ok(found.collect::<Result<_, _>>()?)
        })
    }

    fn open_waiting(&mut self, conversation: ConversationId) -> Result<Option<WaitingId>, StoreError> {
        self.run(|conn| Ok(open(conn, conversation.get())?.map(WaitingId::new)))
    }

    fn resumable_waiting(&mut self, id: WaitingId) -> Result<Option<Instant>, StoreError> {
        self.run(|conn| Ok(resumable(conn, id.get())?.map(|since| since.0)))
    }
}

/// The waiting of a conversation that has not ended.
fn open(conn: &mut Conn, conversation: i64) -> QueryResult<Option<i64>> {
    waitings::table
        .filter(waitings::conversation_id.eq(conversation))
        .filter(waitings::until.is_null())
        .select(waitings::id)
        .first(conn)
        .optional()
}

/// Since when a waiting that ended lasted, unless another has begun.
fn resumable(conn: &mut Conn, id: i64) -> QueryResult<Option<Stamp>> {
    let ended: Option<(i64, Stamp)> = waitings::table
        .find(id)
        .filter(waitings::until.is_not_null())
        .select((waitings::conversation_id, waitings::since))
        .first(conn)
        .optional()?;
    let Some((conversation, since)) = ended else {
        return Ok(None);
    };
    Ok(open(conn, conversation)?.is_none().then_some(since))
}

impl WaitingRepository for Uow<'_> {
    fn note_waiting(&mut self, conversation: ConversationId, since: Instant) -> Result<(), StoreError> {
        self.run(|conn| {
            let open = waitings::conversation_id
                .eq(conversation.get())
                .and(waitings::until.is_null());
            let moved = update(waitings::table, open, waitings::since.eq(Stamp(since)));
            if moved.execute(conn)? == 0 {
                diesel::insert_into(waitings::table)
                    .values((
                        waitings::conversation_id.eq(conversation.get()),
                        waitings::since.eq(Stamp(since)),
                    ))
                    .execute(conn)?;
            }
            Ok(())
        })
    }

    fn end_waiting(
        &mut self,
        conversation: ConversationId,
        ended: &Ended,
    ) -> Result<Option<WaitingId>, StoreError> {
        self.run(|conn| {
            let Some(id) = open(conn, conversation.get())? else {
                return Ok(None);
            };
            diesel::update(waitings::table.find(id))
                .set((
                    waitings::until.eq(Some(Stamp(ended.until))),
                    waitings::ended.eq(Some(ended.how.code())),
                    waitings::ended_by.eq(ended.by.map(MemberId::get)),
                    waitings::first_response_at.eq(ended.first_response_at.map(Stamp)),
                ))
                .execute(conn)?;
            Ok(Some(WaitingId::new(id)))
        })
    }

    fn resume_waiting(&mut self, id: WaitingId) -> Result<Option<Instant>, StoreError> {
        self.run(|conn| {
            let Some(since) = resumable(conn, id.get())? else {
                return Ok(None);
            };
            diesel::update(waitings::table.find(id.get()))
                .set((
                    waitings::until.eq(None::<Stamp>),
                    waitings::ended.eq(None::<String>),
                    waitings::ended_by.eq(None::<i64>),
                    waitings::first_response_at.eq(None::<Stamp>),
                ))
                .execute(conn)?;
            Ok(Some(since.0))
        })
    }
}
