//! Sends.

use crm_domain::conversations::ConversationId;
use crm_domain::instant::Instant;
use crm_domain::members::MemberId;
use crm_domain::ports::store::StoreError;
use crm_domain::sends::{
    Author, NewSend, Queued, RESENT, Send, SendId, SendQueries, SendRepository, SendState,
};
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::conversations::ConversationRow;
use super::{Conn, Uow};
use crate::fault::Fault;
use crate::mend::corrupt;
use crate::schema::{conversations, sends};
use crate::stamp::Stamp;

#[derive(Queryable, Selectable)]
#[diesel(table_name = sends)]
struct SendRow {
    id: i64,
    conversation_id: i64,
    text: String,
    author_id: Option<i64>,
    author_name: String,
    state: String,
    reason: Option<String>,
    queued_at: Stamp,
    finished_at: Option<Stamp>,
}

fn to_send((row, to): (SendRow, ConversationRow)) -> Result<Send, StoreError> {
    let state = SendState::from_code(&row.state);
    Ok(Send {
        id: SendId::new(row.id),
        conversation_id: ConversationId::new(row.conversation_id),
        to: to.key()?,
        text: row.text,
        author: Author {
            member_id: row.author_id.map(MemberId::new),
            name: row.author_name,
        },
        state: state.ok_or_else(|| corrupt("sends", "state", row.id))?,
        reason: row.reason,
        queued_at: row.queued_at.0,
        finished_at: row.finished_at.map(|at| at.0),
    })
}

fn find(conn: &mut Conn, id: i64) -> Result<Option<Send>, Fault> {
    let row = sends::table
        .inner_join(conversations::table)
        .filter(sends::id.eq(id))
        .select((SendRow::as_select(), ConversationRow::as_select()))
        .first(conn)
        .optional()?;
    Ok(row.map(to_send).transpose()?)
}

diesel::alias!(sends as underway: Underway);

/// The oldest queued message of a conversation that has none on its way.
fn next(conn: &mut Conn) -> Result<Option<i64>, Fault> {
    let blocked = underway
        .filter(underway.field(sends::finished_at).is_null())
        .filter(underway.field(sends::conversation_id).eq(sends::conversation_id))
        .filter(underway.field(sends::state).eq(SendState::Sending.code()));
    let next = sends::table
        .filter(sends::finished_at.is_null())
        .filter(sends::state.eq(SendState::Queued.code()))
        .filter(not(exists(blocked)))
        .order_by(sends::id)
        .select(sends::id)
        .first(conn);
    Ok(next.optional()?)
}

impl SendQueries for Uow<'_> {
    fn send(&mut self, id: SendId) -> Result<Option<Send>, StoreError> {
        self.run(|conn| find(conn, id.get()))
    }

    fn sends_open(&mut self) -> Result<bool, StoreError> {
        self.run(|conn| {
            let open = sends::table.filter(sends::finished_at.is_null());
            Ok(diesel::select(exists(open)).get_result(conn)?)
        })
    }
}

impl SendRepository for Uow<'_> {
    fn add_send(&mut self, send: &NewSend) -> Result<Queued, StoreError> {
        self.run(|conn| {
            let conversation = conversations::table.find(send.conversation_id.get());
            if !diesel::select(exists(conversation)).get_result(conn)? {
                return Err(StoreError::Missing("conversation_id").into());
            }
            let added = diesel::insert_into(sends::table)
                .values((
                    sends::key.eq(&send.key),
                    sends::conversation_id.eq(send.conversation_id.get()),
                    sends::text.eq(send.text.as_str()),
                    sends::author_id.eq(send.author.member_id.map(MemberId::get)),
                    sends::author_name.eq(&send.author.name),
                    sends::state.eq(SendState::Queued.code()),
                    sends::queued_at.eq(Stamp(send.queued_at)),
                ))
                .on_conflict(sends::key)
                .do_nothing()
                .returning(sends::id)
                .get_result(conn)
                .optional()?;
            if let Some(id) = added {
                return Ok(Queued::Added(SendId::new(id)));
            }
            let id = sends::table
                .filter(sends::key.eq(&send.key))
                .select(sends::id)
                .first(conn)?;
            Ok(Queued::Existed(SendId::new(id)))
        })
    }

    fn claim_send(&mut self, run: &str, at: Instant) -> Result<Option<Send>, StoreError> {
        self.run(|conn| {
            let Some(id) = next(conn)? else {
                return Ok(None);
            };
            let queued = sends::table
                .find(id)
                .filter(sends::state.eq(SendState::Queued.code()));
            let claimed = diesel::update(queued)
                .set((
                    sends::state.eq(SendState::Sending.code()),
                    sends::run.eq(Some(run)),
                    sends::claimed_at.eq(Some(Stamp(at))),
                ))
                .execute(conn)?;
            if claimed == 1 { find(conn, id) } else { Ok(None) }
        })
    }

    fn finish_send(
        &mut self,
        id: SendId,
        run: &str,
        state: SendState,
        reason: Option<&str>,
        at: Instant,
    ) -> Result<bool, StoreError> {
        self.run(|conn| {
            let claimed = sends::table
                .find(id.get())
                .filter(sends::state.eq(SendState::Sending.code()))
                .filter(sends::run.eq(run));
            let settled = diesel::update(claimed)
                .set((
                    sends::state.eq(state.code()),
                    sends::reason.eq(reason),
                    sends::finished_at.eq(state.is_final().then_some(Stamp(at))),
                ))
                .execute(conn)?;
            Ok(settled == 1)
        })
    }

    fn mark_resent(&mut self, id: SendId) -> Result<bool, StoreError> {
        self.run(|conn| {
            let unknown = sends::table
                .find(id.get())
                .filter(sends::state.eq(SendState::Unknown.code()));
            let marked = diesel::update(unknown)
                .set(sends::reason.eq(Some(RESENT)))
                .execute(conn)?;
            Ok(marked == 1)
        })
    }

    fn abandon_sends(&mut self, living_run: &str, reason: &str, at: Instant) -> Result<usize, StoreError> {
        self.run(|conn| {
            let dead = sends::table
                .filter(sends::finished_at.is_null())
                .filter(sends::state.eq(SendState::Sending.code()))
                .filter(sends::run.is_null().or(sends::run.ne(living_run)));
            let abandoned = diesel::update(dead)
                .set((
                    sends::state.eq(SendState::Unknown.code()),
                    sends::reason.eq(reason),
                    sends::finished_at.eq(Some(Stamp(at))),
                ))
                .execute(conn)?;
            Ok(abandoned)
        })
    }
}
