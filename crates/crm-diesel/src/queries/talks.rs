//! A conversation's messages over all the pages on which they stand.

use std::collections::HashSet;

use crm_domain::activities::{ActivityId, Direction, MessageKind, NewActivity};
use crm_domain::conversations::ConversationId;
use crm_domain::customers::CustomerId;
use crm_domain::instant::Instant;
use crm_domain::notes::NoteId;
use crm_domain::ports::store::StoreError;
use crm_domain::receipts::ReceiptId;
use crm_domain::sends::SendId;
use crm_domain::standings::LastMessage;
use diesel::dsl::{exists, min, not};
use diesel::prelude::*;

use super::Conn;
use crate::fault::Fault;
use crate::found::rows;
use crate::mend::corrupt;
use crate::schema::activities;
use crate::stamp::Stamp;

#[derive(Queryable, Selectable)]
#[diesel(table_name = activities)]
struct CopyRow {
    id: i64,
    message: String,
    timestamp: Stamp,
    direction: String,
    kind: String,
    detail: Option<String>,
    receipt_id: Option<i64>,
    send_id: Option<i64>,
    note_id: Option<i64>,
    late: bool,
}

impl CopyRow {
    /// The callback, sending or note that it shows.
    fn source(&self) -> (Option<i64>, Option<i64>, Option<i64>) {
        (self.receipt_id, self.send_id, self.note_id)
    }

    fn copy(self, conversation: ConversationId, customer: CustomerId) -> Result<NewActivity, StoreError> {
        let bad = |column| corrupt("activities", column, self.id);
        Ok(NewActivity {
            customer_id: customer,
            conversation_id: Some(conversation),
            receipt_id: self.receipt_id.map(ReceiptId::new),
            send_id: self.send_id.map(SendId::new),
            note_id: self.note_id.map(NoteId::new),
            direction: Direction::from_code(&self.direction).ok_or_else(|| bad("direction"))?,
            kind: MessageKind::from_code(&self.kind).ok_or_else(|| bad("kind"))?,
            message: self.message,
            detail: self.detail,
            timestamp: self.timestamp.0,
            late: self.late,
        })
    }
}

diesel::alias!(activities as own: Own);

/// As [`crm_domain::activities::ActivityQueries::activities_lacking`].
pub(super) fn lacking(
    conn: &mut Conn,
    conversation: ConversationId,
    customer: CustomerId,
    after: Option<ActivityId>,
    limit: usize,
) -> Result<Vec<(ActivityId, NewActivity)>, Fault> {
    let theirs = || own.filter(own.field(activities::customer_id).eq(customer.get()));
    let received = theirs().filter(own.field(activities::receipt_id).eq(activities::receipt_id));
    let sent = theirs().filter(own.field(activities::send_id).eq(activities::send_id));
    let noted = theirs().filter(own.field(activities::note_id).eq(activities::note_id));
    let has_source = activities::receipt_id
        .is_not_null()
        .or(activities::send_id.is_not_null())
        .or(activities::note_id.is_not_null());
    let found: Vec<CopyRow> = activities::table
        .filter(activities::conversation_id.eq(conversation.get()))
        .filter(activities::id.gt(after.map_or(0, ActivityId::get)))
        .filter(activities::customer_id.ne(customer.get()))
        .filter(activities::deleted_at.is_null())
        .filter(has_source)
        .filter(not(exists(received)))
        .filter(not(exists(sent)))
        .filter(not(exists(noted)))
        .order_by(activities::id)
        .limit(rows(limit))
        .select(CopyRow::as_select())
        .load(conn)?;
    // A third customer's page shows the same sources.
    let mut sources = HashSet::new();
    let once = found.into_iter().filter(|row| sources.insert(row.source()));
    let copies = once.map(|row| Ok((ActivityId::new(row.id), row.copy(conversation, customer)?)));
    Ok(copies.collect::<Result<_, StoreError>>()?)
}

/// As [`crm_domain::activities::ActivityQueries::received_after`].
pub(super) fn received_after(
    conn: &mut Conn,
    conversation: ConversationId,
    at: Instant,
) -> Result<Option<Instant>, Fault> {
    let oldest: Option<Stamp> = activities::table
        .filter(activities::conversation_id.eq(conversation.get()))
        .filter(activities::direction.eq(Direction::Received.code()))
        .filter(activities::deleted_at.is_null())
        .filter(activities::timestamp.gt(Stamp(at)))
        .select(min(activities::timestamp))
        .first(conn)?;
    Ok(oldest.map(|at| at.0))
}

/// As [`crm_domain::activities::ActivityQueries::last_message`].
pub(super) fn last_message(
    conn: &mut Conn,
    conversation: ConversationId,
) -> Result<Option<LastMessage>, Fault> {
    let last: Option<CopyRow> = activities::table
        .filter(activities::conversation_id.eq(conversation.get()))
        .filter(activities::deleted_at.is_null())
        .filter(activities::direction.ne(Direction::Note.code()))
        .order_by((activities::timestamp.desc(), activities::id.desc()))
        .select(CopyRow::as_select())
        .first(conn)
        .optional()?;
    let Some(row) = last else { return Ok(None) };
    // The customer does not matter here.
    let row = row.copy(conversation, CustomerId::new(0))?;
    let (at, text) = (row.timestamp, row.message.as_str());
    Ok(Some(LastMessage::new(at, row.direction, row.kind, text)))
}
