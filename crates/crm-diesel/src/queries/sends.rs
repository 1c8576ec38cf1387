//! Sends.

use crm_domain::conversations::ConversationId;
use crm_domain::instant::Instant;
use crm_domain::members::MemberId;
use crm_domain::ports::messenger::SendProblem;
use crm_domain::ports::store::StoreError;
use crm_domain::sends::{
    Author, CANCELLED, Dead, Departing, FARTHEST_TRY, NewSend, Queued, RESENT, Send, SendId, SendQueries,
    SendRepository, SendState, TREATED, Treated, Urgency,
};
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use time::Duration;

use super::conversations::ConversationRow;
use super::dialect::{db_in, db_now, skip_locked};
use super::{Conn, Uow};
use crate::fault::Fault;
use crate::found::rows;
use crate::mend::corrupt;
use crate::schema::{activities, conversations, sends};
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
    urgency: i32,
    tries: i32,
    next_try_at: Option<Stamp>,
    treated_at: Option<Stamp>,
    treated_by_id: Option<i64>,
    treated_by: Option<String>,
    lease_until: Option<Stamp>,
}

/// Until when a message that is 結果不明 must not be sent again.
pub(super) fn held(state: SendState, lease_until: Option<Stamp>) -> Option<Instant> {
    lease_until
        .filter(|_| state == SendState::Unknown)
        .map(|until| until.0)
}

fn to_send((row, to): (SendRow, ConversationRow)) -> Result<Send, StoreError> {
    let state = SendState::from_code(&row.state).ok_or_else(|| corrupt("sends", "state", row.id))?;
    let urgency = Urgency::from_rank(row.urgency);
    let treated = row.treated_at.map(|at| Treated {
        by: Author {
            member_id: row.treated_by_id.map(MemberId::new),
            name: row.treated_by.unwrap_or_default(),
        },
        at: at.0,
    });
    Ok(Send {
        id: SendId::new(row.id),
        conversation_id: ConversationId::new(row.conversation_id),
        to: to.key()?,
        text: row.text,
        author: Author {
            member_id: row.author_id.map(MemberId::new),
            name: row.author_name,
        },
        state,
        reason: row.reason,
        urgency: urgency.ok_or_else(|| corrupt("sends", "urgency", row.id))?,
        tries: row.tries.unsigned_abs(),
        next_try_at: row.next_try_at.map(|at| at.0),
        queued_at: row.queued_at.0,
        finished_at: row.finished_at.map(|at| at.0),
        treated,
        held_until: held(state, row.lease_until),
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

/// The most urgent queued message that is due, of those that are the oldest of a conversation with none on its way.
fn next(conn: &mut Conn, least: Urgency, at: Instant) -> Result<Option<i64>, Fault> {
    let before = underway.field(sends::id).lt(sends::id);
    let blocked = underway
        .filter(underway.field(sends::finished_at).is_null())
        .filter(underway.field(sends::conversation_id).eq(sends::conversation_id))
        .filter(
            underway
                .field(sends::state)
                .eq(SendState::Sending.code())
                .or(before),
        );
    let due = sends::next_try_at
        .is_null()
        .or(sends::next_try_at.le(Stamp(at)))
        .or(sends::next_try_at.gt(Stamp(at.plus(FARTHEST_TRY))));
    let next = sends::table
        .filter(sends::finished_at.is_null())
        .filter(sends::state.eq(SendState::Queued.code()))
        .filter(sends::urgency.le(least.rank()))
        .filter(due)
        .filter(not(exists(blocked)))
        .order_by((sends::urgency, sends::id))
        .limit(1)
        .select(sends::id);
    // What another instance is claiming this moment is not waited for.
    Ok(skip_locked!(next).get_result(conn).optional()?)
}

/// A message that this run has on its way.
#[diesel::dsl::auto_type(no_type_alias)]
fn on_its_way(id: SendId, run: &str) -> _ {
    let (id, state): (i64, &'static str) = (id.get(), SendState::Sending.code());
    sends::table
        .find(id)
        .filter(sends::state.eq(state))
        .filter(sends::run.eq(run))
}

/// The messages on their way whose runs are proved dead, oldest first, and the ends of their leases.
fn lost(conn: &mut Conn, dead: Dead<'_>) -> Result<Vec<(i64, Option<Stamp>)>, Fault> {
    let sending = sends::table
        .filter(sends::finished_at.is_null())
        .filter(sends::state.eq(SendState::Sending.code()))
        .order_by(sends::id)
        .select((sends::id, sends::lease_until));
    Ok(match dead {
        Dead::AllBut(run) => sending
            .filter(sends::run.is_null().or(sends::run.ne(run)))
            .load(conn)?,
        Dead::LeaseOver { .. } => sending
            .filter(
                sends::lease_until
                    .is_null()
                    .or(sends::lease_until.le(db_now().nullable())),
            )
            .load(conn)?,
    })
}

/// Lets what waits in a conversation go as soon as what is queued behind it.
fn lift(conn: &mut Conn, send: &NewSend) -> Result<(), Fault> {
    let waiting = || {
        sends::table
            .filter(sends::finished_at.is_null())
            .filter(sends::conversation_id.eq(send.conversation_id.get()))
            .filter(sends::state.eq(SendState::Queued.code()))
    };
    let urgency = send.urgency.rank();
    diesel::update(waiting().filter(sends::urgency.gt(urgency)))
        .set(sends::urgency.eq(urgency))
        .execute(conn)?;
    diesel::update(waiting().filter(sends::reason.eq_any(SendProblem::OF_THE_LINE)))
        .set(sends::next_try_at.eq(None::<Stamp>))
        .execute(conn)?;
    Ok(())
}

impl SendQueries for Uow<'_> {
    fn send(&mut self, id: SendId) -> Result<Option<Send>, StoreError> {
        self.run(|conn| find(conn, id.get()))
    }

    fn unshown_sends(&mut self, conversation: ConversationId) -> Result<Vec<Send>, StoreError> {
        self.run(|conn| {
            let shown = activities::table.filter(activities::send_id.eq(sends::id.nullable()));
            let unshown: Vec<(SendRow, ConversationRow)> = sends::table
                .inner_join(conversations::table)
                .filter(sends::conversation_id.eq(conversation.get()))
                .filter(not(exists(shown)))
                .order_by(sends::id)
                .select((SendRow::as_select(), ConversationRow::as_select()))
                .load(conn)?;
            Ok(unshown.into_iter().map(to_send).collect::<Result<_, _>>()?)
        })
    }

    fn sends_open(&mut self) -> Result<bool, StoreError> {
        self.run(|conn| {
            let open = sends::table.filter(sends::finished_at.is_null());
            Ok(diesel::select(exists(open)).get_result(conn)?)
        })
    }

    fn troubled_sends(&mut self, conversation: ConversationId) -> Result<usize, StoreError> {
        self.run(|conn| {
            let shown = activities::table.filter(activities::send_id.eq(sends::id.nullable()));
            let visible = activities::table
                .filter(activities::send_id.eq(sends::id.nullable()))
                .filter(activities::deleted_at.is_null());
            let troubled: i64 = sends::table
                .filter(sends::conversation_id.eq(conversation.get()))
                .filter(sends::state.eq_any([SendState::Failed.code(), SendState::Unknown.code()]))
                .filter(
                    sends::reason
                        .is_null()
                        .or(sends::reason.ne_all([RESENT, CANCELLED])),
                )
                .filter(not(exists(shown)).or(exists(visible)))
                .count()
                .get_result(conn)?;
            Ok(usize::try_from(troubled).unwrap_or_default())
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
                    sends::urgency.eq(send.urgency.rank()),
                ))
                .on_conflict(sends::key)
                .do_nothing()
                .returning(sends::id)
                .get_result(conn)
                .optional()?;
            if let Some(id) = added {
                lift(conn, send)?;
                return Ok(Queued::Added(SendId::new(id)));
            }
            let id = sends::table
                .filter(sends::key.eq(&send.key))
                .select(sends::id)
                .first(conn)?;
            Ok(Queued::Existed(SendId::new(id)))
        })
    }

    fn claim_send(
        &mut self,
        run: &str,
        least: Urgency,
        at: Instant,
        lasts: Duration,
    ) -> Result<Option<Send>, StoreError> {
        self.run(|conn| {
            let Some(id) = next(conn, least, at)? else {
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
                    sends::next_try_at.eq(None::<Stamp>),
                    sends::lease_until.eq(db_in(lasts).nullable()),
                ))
                .execute(conn)?;
            if claimed == 1 { find(conn, id) } else { Ok(None) }
        })
    }

    fn depart_send(
        &mut self,
        id: SendId,
        run: &str,
        at: Instant,
        lasts: Duration,
    ) -> Result<Departing, StoreError> {
        self.run(|conn| {
            let living = on_its_way(id, run).filter(sends::lease_until.gt(db_now().nullable()));
            let proved = diesel::update(living)
                .set((
                    sends::claimed_at.eq(Some(Stamp(at))),
                    sends::lease_until.eq(db_in(lasts).nullable()),
                ))
                .execute(conn)?;
            if proved == 1 {
                return Ok(Departing::Leaves);
            }
            let ours = diesel::select(exists(on_its_way(id, run))).get_result(conn)?;
            Ok(if ours { Departing::TooLate } else { Departing::Lost })
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
            let abandoned = sends::state
                .eq(SendState::Unknown.code())
                .and(sends::reason.eq(SendProblem::Interrupted.code()));
            let awaiting = sends::table
                .find(id.get())
                .filter(sends::run.eq(run))
                .filter(sends::state.eq(SendState::Sending.code()).or(abandoned));
            let settled = diesel::update(awaiting)
                .set((
                    sends::state.eq(state.code()),
                    sends::reason.eq(reason),
                    sends::finished_at.eq(state.is_final().then_some(Stamp(at))),
                    sends::lease_until.eq(None::<Stamp>),
                ))
                .execute(conn)?;
            Ok(settled == 1)
        })
    }

    fn requeue_send(
        &mut self,
        id: SendId,
        run: &str,
        reason: Option<&str>,
        next_try: Instant,
    ) -> Result<bool, StoreError> {
        self.run(|conn| {
            let put_back = diesel::update(on_its_way(id, run))
                .set((
                    sends::state.eq(SendState::Queued.code()),
                    sends::reason.eq(reason),
                    sends::tries.eq(sends::tries + 1),
                    sends::next_try_at.eq(Some(Stamp(next_try))),
                    sends::run.eq(None::<String>),
                    sends::lease_until.eq(None::<Stamp>),
                ))
                .execute(conn)?;
            Ok(put_back == 1)
        })
    }

    fn wake_sends(&mut self, reasons: &[&str]) -> Result<(), StoreError> {
        self.run(|conn| {
            let waiting = sends::table
                .filter(sends::finished_at.is_null())
                .filter(sends::state.eq(SendState::Queued.code()))
                .filter(sends::next_try_at.is_not_null())
                .filter(sends::reason.eq_any(reasons));
            diesel::update(waiting)
                .set(sends::next_try_at.eq(None::<Stamp>))
                .execute(conn)?;
            Ok(())
        })
    }

    fn cancel_send(&mut self, id: SendId, at: Instant) -> Result<bool, StoreError> {
        self.run(|conn| {
            let queued = sends::table
                .find(id.get())
                .filter(sends::state.eq(SendState::Queued.code()));
            let cancelled = diesel::update(queued)
                .set((
                    sends::state.eq(SendState::Failed.code()),
                    sends::reason.eq(Some(CANCELLED)),
                    sends::next_try_at.eq(None::<Stamp>),
                    sends::finished_at.eq(Some(Stamp(at))),
                ))
                .execute(conn)?;
            Ok(cancelled == 1)
        })
    }

    fn treat_send(&mut self, id: SendId, by: &Author, at: Instant) -> Result<bool, StoreError> {
        self.run(|conn| {
            let unknown = sends::table
                .find(id.get())
                .filter(sends::state.eq(SendState::Unknown.code()))
                .filter(sends::reason.is_null().or(sends::reason.ne(RESENT)));
            let treated = diesel::update(unknown)
                .set((
                    sends::state.eq(SendState::Sent.code()),
                    sends::reason.eq(Some(TREATED)),
                    sends::treated_at.eq(Some(Stamp(at))),
                    sends::treated_by_id.eq(by.member_id.map(MemberId::get)),
                    sends::treated_by.eq(Some(&by.name)),
                ))
                .execute(conn)?;
            Ok(treated == 1)
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

    fn abandon_sends(&mut self, dead: Dead<'_>, reason: &str, at: Instant) -> Result<Vec<Send>, StoreError> {
        self.run(|conn| {
            let lost = lost(conn, dead)?;
            let mut abandoned = Vec::with_capacity(lost.len());
            for (id, until) in lost {
                let held = match dead {
                    Dead::AllBut(_) => None,
                    Dead::LeaseOver { request } => until.map(|until| Stamp(until.0.plus(request))),
                };
                if matches!(dead, Dead::AllBut(_)) {
                    // Nobody is left who could tell what became of it.
                    diesel::update(sends::table.find(id))
                        .set(sends::run.eq(None::<String>))
                        .execute(conn)?;
                }
                diesel::update(sends::table.find(id))
                    .set((
                        sends::state.eq(SendState::Unknown.code()),
                        sends::reason.eq(reason),
                        sends::finished_at.eq(Some(Stamp(at))),
                        sends::lease_until.eq(held),
                    ))
                    .execute(conn)?;
                abandoned.extend(find(conn, id)?);
            }
            Ok(abandoned)
        })
    }

    fn give_up_sends(&mut self, reason: &str, at: Instant, limit: usize) -> Result<Vec<Send>, StoreError> {
        self.run(|conn| {
            let open = [SendState::Queued, SendState::Sending].map(SendState::code);
            let found: Vec<i64> = sends::table
                .filter(sends::finished_at.is_null())
                .filter(sends::state.eq_any(open))
                .order_by(sends::id)
                .limit(rows(limit))
                .select(sends::id)
                .load(conn)?;
            let mut given_up = Vec::with_capacity(found.len());
            for id in found {
                diesel::update(sends::table.find(id))
                    .set((
                        sends::state.eq(SendState::Unknown.code()),
                        sends::reason.eq(reason),
                        sends::next_try_at.eq(None::<Stamp>),
                        sends::finished_at.eq(Some(Stamp(at))),
                    ))
                    .execute(conn)?;
                given_up.extend(find(conn, id)?);
            }
            Ok(given_up)
        })
    }
}
