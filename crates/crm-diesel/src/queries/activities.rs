//! Activities.

use std::collections::HashSet;

use crm_domain::activities::{
    Activity, ActivityId, ActivityPlace, ActivityQueries, ActivityRepository, Direction, MessageKind,
    NewActivity, Sending,
};
use crm_domain::companies::CompanyId;
use crm_domain::conversations::ConversationId;
use crm_domain::customers::CustomerId;
use crm_domain::instant::Instant;
use crm_domain::notes::NoteId;
use crm_domain::ports::store::StoreError;
use crm_domain::receipts::ReceiptId;
use crm_domain::searches::Saying;
use crm_domain::sends::{SendId, SendState};
use crm_domain::standings::LastMessage;
use crm_domain::teams::Visible;
use crm_domain::values::SearchWords;
use diesel::prelude::*;

use super::customers::is_visible;
use super::inserted::inserted;
use super::sends::held;
use super::teams::Seen;
use super::{Backend, Conn, Uow, received, searches, talks, words};
use crate::fault::Fault;
use crate::found::{in_pieces, rows};
use crate::mend::corrupt;
use crate::schema::{activities, customers, notes, sends};
use crate::stamp::Stamp;

#[derive(Queryable, Selectable)]
#[diesel(table_name = activities)]
struct ActivityRow {
    id: i64,
    customer_id: i64,
    message: String,
    timestamp: Stamp,
    direction: String,
    kind: String,
    detail: Option<String>,
    conversation_id: Option<i64>,
    late: bool,
    receipt_id: Option<i64>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = sends)]
struct SendingRow {
    id: i64,
    author_name: String,
    state: String,
    reason: Option<String>,
    next_try_at: Option<Stamp>,
    treated_by: Option<String>,
    lease_until: Option<Stamp>,
}

type Row = (ActivityRow, Option<SendingRow>, Option<String>);

fn to_sending(row: SendingRow) -> Result<Sending, StoreError> {
    let state = SendState::from_code(&row.state).ok_or_else(|| corrupt("sends", "state", row.id))?;
    Ok(Sending {
        id: SendId::new(row.id),
        held_until: held(state, row.lease_until),
        state,
        reason: row.reason,
        author: row.author_name,
        next_try_at: row.next_try_at.map(|at| at.0),
        treated_by: row.treated_by,
    })
}

fn to_activity((row, sending, note_author): Row) -> Result<Activity, StoreError> {
    let bad = |column| corrupt("activities", column, row.id);
    Ok(Activity {
        id: ActivityId::new(row.id),
        customer_id: CustomerId::new(row.customer_id),
        conversation_id: row.conversation_id.map(ConversationId::new),
        direction: Direction::from_code(&row.direction).ok_or_else(|| bad("direction"))?,
        kind: MessageKind::from_code(&row.kind).ok_or_else(|| bad("kind"))?,
        message: row.message,
        detail: row.detail,
        timestamp: row.timestamp.0,
        sending: sending.map(to_sending).transpose()?,
        note_author,
        late: row.late,
        in_room: false,
        file: None,
    })
}

fn all(conn: &mut Conn, rows: Vec<Row>) -> Result<Vec<Activity>, Fault> {
    let receipts: Vec<Option<i64>> = rows.iter().map(|(row, ..)| row.receipt_id).collect();
    let mut messages: Vec<Activity> = rows.into_iter().map(to_activity).collect::<Result<_, _>>()?;
    received::complete(conn, &mut messages, &receipts)?;
    Ok(messages)
}

/// A visible message of a visible customer.
fn find(conn: &mut Conn, id: i64) -> Result<Option<Activity>, Fault> {
    let row: Option<Row> = activities::table
        .inner_join(customers::table)
        .left_join(sends::table)
        .left_join(notes::table)
        .filter(activities::id.eq(id))
        .filter(activities::deleted_at.is_null())
        .filter(customers::deleted_at.is_null())
        .select((
            ActivityRow::as_select(),
            Option::<SendingRow>::as_select(),
            notes::author_name.nullable(),
        ))
        .first(conn)
        .optional()?;
    Ok(all(conn, row.into_iter().collect())?.pop())
}

/// The messages at these ids, latest first.
pub(super) fn at(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Activity>, Fault> {
    let found = in_pieces(ids, |ids| {
        Ok(activities::table
            .left_join(sends::table)
            .left_join(notes::table)
            .filter(activities::id.eq_any(ids))
            .order_by((activities::timestamp.desc(), activities::id.desc()))
            .select((
                ActivityRow::as_select(),
                Option::<SendingRow>::as_select(),
                notes::author_name.nullable(),
            ))
            .load(conn)?)
    })?;
    all(conn, found)
}

/// Adds messages; those of an import stay invisible. None is added when a customer does not exist.
pub(super) fn insert<'a>(
    conn: &mut Conn,
    new: impl Iterator<Item = &'a NewActivity> + Clone,
    import: Option<i64>,
) -> Result<Vec<ActivityId>, Fault> {
    check_customers(
        conn,
        new.clone().map(|activity| activity.customer_id.get()).collect(),
    )?;
    let ids: Vec<ActivityId> = new
        .clone()
        .map(|activity| insert_one(conn, activity, import))
        .collect::<Result<_, _>>()?;
    let said = ids
        .iter()
        .zip(new)
        .map(|(id, new)| (id.get(), new.message.as_str()));
    words::add(conn, said)?;
    Ok(ids)
}

fn check_customers(conn: &mut Conn, ids: HashSet<i64>) -> Result<(), Fault> {
    let ids: Vec<i64> = ids.into_iter().collect();
    let found: Vec<i64> = in_pieces(&ids, |ids| {
        Ok(customers::table
            .filter(customers::id.eq_any(ids))
            .select(customers::id)
            .load(conn)?)
    })?;
    if found.len() == ids.len() {
        Ok(())
    } else {
        Err(StoreError::Missing("customer_id").into())
    }
}

fn insert_one(conn: &mut Conn, new: &NewActivity, import: Option<i64>) -> Result<ActivityId, Fault> {
    let insert = diesel::insert_into(activities::table).values((
        activities::customer_id.eq(new.customer_id.get()),
        activities::message.eq(&new.message),
        activities::timestamp.eq(Stamp(new.timestamp)),
        activities::direction.eq(new.direction.code()),
        activities::kind.eq(new.kind.code()),
        activities::detail.eq(new.detail.as_deref()),
        activities::conversation_id.eq(new.conversation_id.map(ConversationId::get)),
        activities::receipt_id.eq(new.receipt_id.map(ReceiptId::get)),
        activities::send_id.eq(new.send_id.map(SendId::get)),
        activities::note_id.eq(new.note_id.map(NoteId::get)),
        activities::late.eq(new.late),
        activities::indexed.eq(true),
        activities::import_id.eq(import),
        activities::deleted_at.eq(import.map(|_| Stamp::unfinished_import())),
    ));
    let id = inserted(conn, insert)?.ok_or(diesel::result::Error::NotFound)?;
    Ok(ActivityId::new(id))
}

diesel::alias!(activities as newest: Newest);

/// The newest messages of each customer are read from the end of the customer's index, and the newest of them taken: long
/// conversations cost no more than short ones.
fn newest_of_company(
    conn: &mut Conn,
    company: CompanyId,
    before: Option<ActivityPlace>,
    limit: usize,
    visible: &Visible,
) -> Result<Vec<i64>, Fault> {
    let (at, id) = before.map_or((Stamp(last_instant()), i64::MAX), |place| {
        (Stamp(place.timestamp), place.id.get())
    });
    let (timestamp, number) = (newest.field(activities::timestamp), newest.field(activities::id));
    let of_customer = newest
        .filter(newest.field(activities::customer_id).eq(customers::id))
        .filter(newest.field(activities::deleted_at).is_null())
        .filter(timestamp.le(at))
        .filter(timestamp.lt(at).or(number.lt(id)))
        .order_by((timestamp.desc(), number.desc()))
        .limit(rows(limit))
        .select(number);
    let mut query = customers::table
        .inner_join(activities::table.on(activities::id.eq_any(of_customer)))
        .filter(customers::company_id.eq(company.get()))
        .filter(customers::deleted_at.is_null())
        .into_boxed::<Backend>();
    if let Visible::Some(sight) = visible {
        query = query.filter(Seen::of(sight).customers());
    }
    let ids = query
        .order_by((activities::timestamp.desc(), activities::id.desc()))
        .limit(rows(limit))
        .select(activities::id)
        .load(conn)?;
    Ok(ids)
}

fn last_instant() -> Instant {
    Instant::from_unix_millis(i64::MAX)
}

impl ActivityQueries for Uow<'_> {
    fn activity(&mut self, id: ActivityId) -> Result<Option<Activity>, StoreError> {
        self.run(|conn| find(conn, id.get()))
    }

    fn customer_of_activity(&mut self, id: ActivityId) -> Result<Option<CustomerId>, StoreError> {
        self.run(|conn| {
            let kept = activities::deleted_at
                .is_null()
                .or(activities::deleted_at.ne(Stamp::unfinished_import()));
            let customer: Option<i64> = activities::table
                .inner_join(customers::table)
                .filter(activities::id.eq(id.get()))
                .filter(kept)
                .filter(customers::deleted_at.is_null())
                .select(customers::id)
                .first(conn)
                .optional()?;
            Ok(customer.map(CustomerId::new))
        })
    }

    fn activities_before(
        &mut self,
        customer: CustomerId,
        before: Option<ActivityPlace>,
        limit: usize,
    ) -> Result<Vec<Activity>, StoreError> {
        self.run(|conn| {
            if !is_visible(conn, customer.get())? {
                return Ok(Vec::new());
            }
            let mut query = activities::table
                .left_join(sends::table)
                .left_join(notes::table)
                .filter(activities::customer_id.eq(customer.get()))
                .filter(activities::deleted_at.is_null())
                .select((
                    ActivityRow::as_select(),
                    Option::<SendingRow>::as_select(),
                    notes::author_name.nullable(),
                ))
                .into_boxed::<Backend>();
            if let Some(before) = before {
                let at = Stamp(before.timestamp);
                let earlier = activities::timestamp
                    .lt(at)
                    .or(activities::id.lt(before.id.get()));
                query = query.filter(activities::timestamp.le(at)).filter(earlier);
            }
            let order = (activities::timestamp.desc(), activities::id.desc());
            let found = query.order_by(order).limit(rows(limit)).load(conn)?;
            all(conn, found)
        })
    }

    fn activities_added_after(
        &mut self,
        customer: CustomerId,
        after: Option<ActivityId>,
        limit: usize,
    ) -> Result<Vec<Activity>, StoreError> {
        self.run(|conn| {
            if !is_visible(conn, customer.get())? {
                return Ok(Vec::new());
            }
            // A sum, not the column: otherwise everybody's later messages are walked through.
            let id = activities::id + 0;
            let added = activities::table
                .left_join(sends::table)
                .left_join(notes::table)
                .filter(activities::customer_id.eq(customer.get()))
                .filter(id.gt(after.map_or(0, ActivityId::get)))
                .filter(activities::deleted_at.is_null())
                .order_by(id)
                .limit(rows(limit))
                .select((
                    ActivityRow::as_select(),
                    Option::<SendingRow>::as_select(),
                    notes::author_name.nullable(),
                ))
                .load(conn)?;
            let mut added = all(conn, added)?;
            added.sort_by_key(|activity| (activity.timestamp, activity.id));
            Ok(added)
        })
    }

    fn activities_lacking(
        &mut self,
        conversation: ConversationId,
        customer: CustomerId,
        after: Option<ActivityId>,
        limit: usize,
    ) -> Result<Vec<(ActivityId, NewActivity)>, StoreError> {
        self.run(|conn| talks::lacking(conn, conversation, customer, after, limit))
    }

    fn received_after(
        &mut self,
        conversation: ConversationId,
        at: Instant,
    ) -> Result<Option<Instant>, StoreError> {
        self.run(|conn| talks::received_after(conn, conversation, at))
    }

    fn last_message(&mut self, conversation: ConversationId) -> Result<Option<LastMessage>, StoreError> {
        self.run(|conn| talks::last_message(conn, conversation))
    }

    fn activities_of_company(
        &mut self,
        company: CompanyId,
        before: Option<ActivityPlace>,
        limit: usize,
        visible: &Visible,
    ) -> Result<Vec<Activity>, StoreError> {
        self.run(|conn| {
            let ids = newest_of_company(conn, company, before, limit, visible)?;
            at(conn, &ids)
        })
    }

    fn activities_saying(
        &mut self,
        words: &SearchWords,
        before: Option<ActivityId>,
        limit: usize,
        visible: &Visible,
    ) -> Result<Saying, StoreError> {
        self.run(|conn| searches::saying(conn, words, before, limit, visible))
    }

    fn are_activities_indexed(&mut self) -> Result<bool, StoreError> {
        self.run(searches::is_complete)
    }
}

impl ActivityRepository for Uow<'_> {
    fn add_activities(&mut self, activities: &[NewActivity]) -> Result<Vec<ActivityId>, StoreError> {
        self.run(|conn| insert(conn, activities.iter(), None))
    }

    fn delete_activity(&mut self, id: ActivityId, at: Instant) -> Result<bool, StoreError> {
        self.run(|conn| {
            let there = find(conn, id.get())?.is_some();
            if there {
                diesel::update(activities::table.find(id.get()))
                    .set(activities::deleted_at.eq(Some(Stamp(at))))
                    .execute(conn)?;
            }
            Ok(there)
        })
    }

    fn delete_activities_of_send(&mut self, send: SendId, at: Instant) -> Result<usize, StoreError> {
        self.run(|conn| {
            let shown = activities::table
                .filter(activities::send_id.eq(send.get()))
                .filter(activities::deleted_at.is_null());
            let deleted = diesel::update(shown)
                .set(activities::deleted_at.eq(Some(Stamp(at))))
                .execute(conn)?;
            Ok(deleted)
        })
    }

    fn retime_send(&mut self, send: SendId, at: Instant) -> Result<(), StoreError> {
        self.run(|conn| {
            diesel::update(activities::table.filter(activities::send_id.eq(send.get())))
                .set(activities::timestamp.eq(Stamp(at)))
                .execute(conn)?;
            Ok(())
        })
    }

    fn restore_activity(&mut self, id: ActivityId) -> Result<Option<Activity>, StoreError> {
        self.run(|conn| {
            // `ne` is false for NULL, so only deleted ones are left.
            let deleted = activities::table
                .find(id.get())
                .filter(activities::deleted_at.ne(Stamp::unfinished_import()));
            let restored = diesel::update(deleted)
                .set(activities::deleted_at.eq(None::<Stamp>))
                .execute(conn)?;
            if restored == 1 {
                find(conn, id.get())
            } else {
                Ok(None)
            }
        })
    }

    fn index_activities(&mut self, limit: usize) -> Result<usize, StoreError> {
        self.run(|conn| searches::take_in(conn, limit))
    }
}
