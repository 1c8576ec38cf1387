//! Attachments.

use crm_domain::activities::MessageKind;
use crm_domain::attachments::{
    Attachment, AttachmentId, AttachmentOutcome, AttachmentQueries, AttachmentRepository, AttachmentState,
    NewAttachment,
};
use crm_domain::conversations::ConversationId;
use crm_domain::customers::CustomerId;
use crm_domain::instant::Instant;
use crm_domain::ports::blobs::{Blob, BlobHash};
use crm_domain::ports::store::StoreError;
use crm_domain::receipts::ReceiptId;
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use time::Duration;

use super::dialect::{db_in, db_now, skip_locked};
use super::{Conn, Uow};
use crate::fault::Fault;
use crate::found::{in_pieces, rows};
use crate::mend::corrupt;
use crate::schema::{activities, attachments, customers};
use crate::stamp::Stamp;

#[derive(Queryable, Selectable)]
#[diesel(table_name = attachments)]
struct AttachmentRow {
    id: i64,
    receipt_id: i64,
    conversation_id: Option<i64>,
    bot: String,
    file_id: String,
    kind: String,
    state: String,
    name: Option<String>,
    media_type: Option<String>,
    size: Option<i64>,
    sha256: Option<String>,
    tries: i32,
    next_try_at: Option<Stamp>,
    reason: Option<String>,
    added_at: Stamp,
}

impl AttachmentRow {
    fn blob(&self) -> Result<Option<Blob>, StoreError> {
        let Some((hash, size)) = self.sha256.as_deref().zip(self.size) else {
            return Ok(None);
        };
        Ok(Some(Blob {
            hash: BlobHash::from_hex(hash).ok_or_else(|| corrupt("attachments", "sha256", self.id))?,
            size: u64::try_from(size).map_err(|_| corrupt("attachments", "size", self.id))?,
        }))
    }
}

impl TryFrom<AttachmentRow> for Attachment {
    type Error = StoreError;

    fn try_from(row: AttachmentRow) -> Result<Self, StoreError> {
        let bad = |column| corrupt("attachments", column, row.id);
        Ok(Self {
            id: AttachmentId::new(row.id),
            receipt_id: ReceiptId::new(row.receipt_id),
            conversation_id: row.conversation_id.map(ConversationId::new),
            kind: MessageKind::from_code(&row.kind).ok_or_else(|| bad("kind"))?,
            state: AttachmentState::from_code(&row.state).ok_or_else(|| bad("state"))?,
            blob: row.blob()?,
            tries: u32::try_from(row.tries).map_err(|_| bad("tries"))?,
            bot: row.bot,
            file_id: row.file_id,
            name: row.name,
            media_type: row.media_type,
            next_try_at: row.next_try_at.map(|at| at.0),
            reason: row.reason,
            added_at: row.added_at.0,
        })
    }
}

/// Those of these callbacks, oldest first.
pub(super) fn of_receipts(conn: &mut Conn, receipts: &[i64]) -> Result<Vec<Attachment>, Fault> {
    let mut found: Vec<AttachmentRow> = in_pieces(receipts, |receipts| {
        Ok(attachments::table
            .filter(attachments::receipt_id.eq_any(receipts))
            .select(AttachmentRow::as_select())
            .load(conn)?)
    })?;
    found.sort_by_key(|row| row.id);
    let found = found.into_iter().map(Attachment::try_from);
    Ok(found.collect::<Result<_, _>>()?)
}

/// The codes stand in the text: a partial index is not used for a bound value.
fn missing() -> SqlLiteral<Bool> {
    let [failed, gone] = [AttachmentState::Failed, AttachmentState::Gone].map(AttachmentState::code);
    sql(&format!("state IN ('{failed}', '{gone}')"))
}

fn insert(conn: &mut Conn, new: &NewAttachment, at: Instant) -> Result<(), Fault> {
    diesel::insert_into(attachments::table)
        .values((
            attachments::receipt_id.eq(new.receipt_id.get()),
            attachments::conversation_id.eq(new.conversation_id.map(ConversationId::get)),
            attachments::bot.eq(&new.bot),
            attachments::file_id.eq(&new.file_id),
            attachments::kind.eq(new.kind.code()),
            attachments::state.eq(AttachmentState::Pending.code()),
            attachments::name.eq(new.name.as_deref()),
            attachments::tries.eq(0),
            attachments::next_try_at.eq(Some(Stamp(at))),
            attachments::added_at.eq(Stamp(at)),
        ))
        .on_conflict(attachments::receipt_id)
        .do_nothing()
        .execute(conn)?;
    Ok(())
}

impl AttachmentQueries for Uow<'_> {
    fn attachment(&mut self, id: AttachmentId) -> Result<Option<Attachment>, StoreError> {
        self.run(|conn| {
            let row = attachments::table
                .find(id.get())
                .select(AttachmentRow::as_select())
                .first(conn)
                .optional()?;
            Ok(row.map(Attachment::try_from).transpose()?)
        })
    }

    fn attachments_of_receipts(&mut self, receipts: &[ReceiptId]) -> Result<Vec<Attachment>, StoreError> {
        let receipts: Vec<i64> = receipts.iter().map(|id| id.get()).collect();
        self.run(|conn| of_receipts(conn, &receipts))
    }

    fn customers_shown(&mut self, receipt: ReceiptId) -> Result<Vec<CustomerId>, StoreError> {
        self.run(|conn| {
            let customers: Vec<i64> = activities::table
                .inner_join(customers::table)
                .filter(activities::receipt_id.eq(receipt.get()))
                .filter(activities::deleted_at.is_null())
                .filter(customers::deleted_at.is_null())
                .order_by(activities::id)
                .select(activities::customer_id)
                .load(conn)?;
            Ok(customers.into_iter().map(CustomerId::new).collect())
        })
    }

    fn waiting_attachments(&mut self, limit: usize) -> Result<Vec<Attachment>, StoreError> {
        self.run(|conn| {
            let waiting: Vec<AttachmentRow> = attachments::table
                .filter(attachments::next_try_at.is_not_null())
                .order_by((attachments::next_try_at, attachments::id))
                .limit(rows(limit))
                .select(AttachmentRow::as_select())
                .load(conn)?;
            let waiting = waiting.into_iter().map(Attachment::try_from);
            Ok(waiting.collect::<Result<_, _>>()?)
        })
    }

    fn missing_attachments(&mut self) -> Result<usize, StoreError> {
        self.run(|conn| {
            let count: i64 = attachments::table.filter(missing()).count().get_result(conn)?;
            Ok(usize::try_from(count).unwrap_or_default())
        })
    }
}

/// The new state, the next try and the reason.
fn changes(outcome: &AttachmentOutcome) -> (AttachmentState, Option<Stamp>, Option<&'static str>) {
    match outcome {
        AttachmentOutcome::Stored { .. } => (AttachmentState::Stored, None, None),
        AttachmentOutcome::Later { at, reason } => {
            (AttachmentState::Pending, Some(Stamp(*at)), Some(*reason))
        }
        AttachmentOutcome::Failed { reason } => (AttachmentState::Failed, None, Some(*reason)),
        AttachmentOutcome::Gone { reason } => (AttachmentState::Gone, None, Some(*reason)),
    }
}

/// The files whose turn has come and that nobody fetches.
fn free(conn: &mut Conn, limit: usize, at: Instant) -> Result<Vec<i64>, Fault> {
    let due = attachments::table
        .filter(attachments::next_try_at.le(Stamp(at)))
        .filter(
            attachments::lease_until
                .is_null()
                .or(attachments::lease_until.le(db_now().nullable())),
        )
        .order_by((attachments::next_try_at, attachments::id))
        .limit(rows(limit))
        .select(attachments::id);
    Ok(skip_locked!(due).load(conn)?)
}

impl AttachmentRepository for Uow<'_> {
    fn claim_attachments(
        &mut self,
        limit: usize,
        at: Instant,
        lasts: Duration,
    ) -> Result<Vec<Attachment>, StoreError> {
        self.run(|conn| {
            let free = free(conn, limit, at)?;
            diesel::update(attachments::table.filter(attachments::id.eq_any(&free)))
                .set(attachments::lease_until.eq(db_in(lasts).nullable()))
                .execute(conn)?;
            let claimed: Vec<AttachmentRow> = attachments::table
                .filter(attachments::id.eq_any(&free))
                .order_by((attachments::next_try_at, attachments::id))
                .select(AttachmentRow::as_select())
                .load(conn)?;
            let claimed = claimed.into_iter().map(Attachment::try_from);
            Ok(claimed.collect::<Result<_, _>>()?)
        })
    }

    fn add_attachments(&mut self, attachments: &[NewAttachment], at: Instant) -> Result<(), StoreError> {
        if attachments.is_empty() {
            return Ok(());
        }
        self.run(|conn| attachments.iter().try_for_each(|new| insert(conn, new, at)))
    }

    fn settle_attachment(
        &mut self,
        id: AttachmentId,
        outcome: &AttachmentOutcome,
    ) -> Result<bool, StoreError> {
        self.run(|conn| {
            let pending = attachments::table
                .find(id.get())
                .filter(attachments::next_try_at.is_not_null());
            let (state, next, reason) = changes(outcome);
            let in_vain = i32::from(matches!(outcome, AttachmentOutcome::Later { .. }));
            let settled = diesel::update(pending)
                .set((
                    attachments::state.eq(state.code()),
                    attachments::next_try_at.eq(next),
                    attachments::reason.eq(reason),
                    attachments::tries.eq(attachments::tries + in_vain),
                    attachments::lease_until.eq(None::<Stamp>),
                ))
                .execute(conn)?;
            if settled == 0 {
                return Ok(false);
            }
            if let AttachmentOutcome::Stored {
                blob,
                name,
                media_type,
            } = outcome
            {
                keep(conn, id, blob, name.as_deref(), media_type.as_deref())?;
            }
            Ok(true)
        })
    }

    fn reopen_attachment(&mut self, id: AttachmentId, at: Instant) -> Result<bool, StoreError> {
        self.run(|conn| {
            let reopened = diesel::update(attachments::table.find(id.get()).filter(missing()))
                .set((
                    attachments::state.eq(AttachmentState::Pending.code()),
                    attachments::next_try_at.eq(Some(Stamp(at))),
                    attachments::reason.eq(None::<String>),
                    attachments::tries.eq(0),
                ))
                .execute(conn)?;
            Ok(reopened == 1)
        })
    }
}

/// Notes the bytes; a name that is not told leaves the one known.
fn keep(
    conn: &mut Conn,
    id: AttachmentId,
    blob: &Blob,
    name: Option<&str>,
    media_type: Option<&str>,
) -> Result<(), Fault> {
    diesel::update(attachments::table.find(id.get()))
        .set((
            attachments::sha256.eq(Some(blob.hash.to_string())),
            attachments::size.eq(i64::try_from(blob.size).ok()),
            attachments::media_type.eq(media_type),
        ))
        .execute(conn)?;
    if name.is_some() {
        diesel::update(attachments::table.find(id.get()))
            .set(attachments::name.eq(name))
            .execute(conn)?;
    }
    Ok(())
}
