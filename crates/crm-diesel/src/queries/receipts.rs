//! Receipts.

use crm_domain::conversations::{ConversationId, ConversationKind};
use crm_domain::instant::Instant;
use crm_domain::ports::store::StoreError;
use crm_domain::receipts::{
    Kept, NewReceipt, PendingReceipt, ReceiptId, ReceiptOutcome, ReceiptQueries, ReceiptRepository,
    ReceiptState,
};
use diesel::dsl::{exists, max, sql};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::Uow;
use super::inserted::inserted;
use crate::cached::update;
use crate::found::rows;
use crate::schema::{conversations, receipts};
use crate::stamp::Stamp;

/// The code stands in the text: a partial index is not used for a bound value.
fn uninterpreted() -> SqlLiteral<Bool> {
    sql(&format!("state = '{}'", ReceiptState::Uninterpreted.code()))
}

fn unclaimed() -> SqlLiteral<Bool> {
    sql(&format!("state = '{}'", ReceiptState::Unclaimed.code()))
}

type PendingRow = (i64, String, Vec<u8>, Stamp);

const PENDING: (receipts::id, receipts::bot, receipts::body, receipts::received_at) =
    (receipts::id, receipts::bot, receipts::body, receipts::received_at);

fn to_pending((id, bot, body, at): PendingRow) -> PendingReceipt {
    PendingReceipt {
        id: ReceiptId::new(id),
        bot,
        body,
        received_at: at.0,
    }
}

impl ReceiptQueries for Uow<'_> {
    fn pending_receipts(&mut self, limit: usize) -> Result<Vec<PendingReceipt>, StoreError> {
        self.run(|conn| {
            let pending: Vec<PendingRow> = receipts::table
                .filter(receipts::settled_at.is_null())
                .order_by(receipts::id)
                .limit(rows(limit))
                .select(PENDING)
                .load(conn)?;
            Ok(pending.into_iter().map(to_pending).collect())
        })
    }

    fn unclaimed_receipts(
        &mut self,
        conversation: ConversationId,
        after: Option<ReceiptId>,
        limit: usize,
    ) -> Result<Vec<PendingReceipt>, StoreError> {
        self.run(|conn| {
            let unclaimed: Vec<PendingRow> = receipts::table
                .filter(receipts::conversation_id.eq(conversation.get()))
                .filter(unclaimed())
                .filter(receipts::id.gt(after.map_or(0, ReceiptId::get)))
                .order_by(receipts::id)
                .limit(rows(limit))
                .select(PENDING)
                .load(conn)?;
            Ok(unclaimed.into_iter().map(to_pending).collect())
        })
    }

    fn unclaimed_rooms(&mut self) -> Result<Vec<ConversationId>, StoreError> {
        self.run(|conn| {
            let unclaimed = receipts::table
                .filter(receipts::conversation_id.eq(conversations::id.nullable()))
                .filter(sql::<Bool>(&format!(
                    "receipts.state = '{}'",
                    ReceiptState::Unclaimed.code()
                )));
            let rooms: Vec<i64> = conversations::table
                .filter(conversations::kind.eq(ConversationKind::Room.code()))
                .filter(exists(unclaimed))
                .order_by(conversations::id)
                .select(conversations::id)
                .load(conn)?;
            Ok(rooms.into_iter().map(ConversationId::new).collect())
        })
    }

    fn uninterpreted_receipts(&mut self) -> Result<usize, StoreError> {
        self.run(|conn| {
            let lost = receipts::table.filter(uninterpreted());
            let count: i64 = lost.count().get_result(conn)?;
            Ok(usize::try_from(count).unwrap_or_default())
        })
    }

    fn last_received(&mut self) -> Result<Option<Instant>, StoreError> {
        self.run(|conn| {
            let newest: Option<i64> = receipts::table.select(max(receipts::id)).first(conn)?;
            let Some(id) = newest else { return Ok(None) };
            let at: Stamp = receipts::table
                .find(id)
                .select(receipts::received_at)
                .first(conn)?;
            Ok(Some(at.0))
        })
    }
}

impl ReceiptRepository for Uow<'_> {
    fn keep_receipt(&mut self, receipt: &NewReceipt) -> Result<Kept, StoreError> {
        self.run(|conn| {
            let insert = diesel::insert_into(receipts::table)
                .values((
                    receipts::bot.eq(&receipt.bot),
                    receipts::issued.eq(&receipt.issued),
                    receipts::digest.eq(receipt.digest.as_slice()),
                    receipts::body.eq(&receipt.body),
                    receipts::received_at.eq(Stamp(receipt.received_at)),
                    receipts::state.eq(ReceiptState::Pending.code()),
                ))
                .on_conflict((receipts::issued, receipts::digest))
                .do_nothing();
            let id = inserted(conn, insert)?;
            Ok(id.map_or(Kept::Existed, |id| Kept::Added(ReceiptId::new(id))))
        })
    }

    fn settle_receipts(&mut self, outcomes: &[ReceiptOutcome], at: Instant) -> Result<usize, StoreError> {
        self.run(|conn| {
            let mut settled = 0;
            for outcome in outcomes {
                let pending = receipts::id
                    .eq(outcome.id.get())
                    .and(receipts::settled_at.is_null());
                let settled_at = (outcome.state != ReceiptState::Pending).then_some(Stamp(at));
                let values = (
                    receipts::state.eq(outcome.state.code()),
                    receipts::conversation_id.eq(outcome.conversation_id.map(ConversationId::get)),
                    receipts::reason.eq(outcome.reason.as_deref()),
                    receipts::settled_at.eq(settled_at),
                );
                settled += update(receipts::table, pending, values).execute(conn)?;
            }
            Ok(settled)
        })
    }

    fn claim_receipts(&mut self, ids: &[ReceiptId]) -> Result<usize, StoreError> {
        self.run(|conn| {
            let mut claimed = 0;
            for ids in ids.chunks(500) {
                let theirs = receipts::table
                    .filter(receipts::id.eq_any(ids.iter().map(|id| id.get())))
                    .filter(receipts::state.eq(ReceiptState::Unclaimed.code()));
                claimed += diesel::update(theirs)
                    .set(receipts::state.eq(ReceiptState::Recorded.code()))
                    .execute(conn)?;
            }
            Ok(claimed)
        })
    }

    fn reopen_receipts(&mut self) -> Result<usize, StoreError> {
        self.run(|conn| {
            let lost = receipts::table.filter(uninterpreted());
            let reopened = diesel::update(lost)
                .set((
                    receipts::state.eq(ReceiptState::Pending.code()),
                    receipts::reason.eq(None::<String>),
                    receipts::settled_at.eq(None::<Stamp>),
                ))
                .execute(conn)?;
            Ok(reopened)
        })
    }
}
