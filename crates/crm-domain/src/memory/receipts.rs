//! Callbacks in memory.

use super::unit::Unit;
use crate::conversations::{ConversationId, ConversationKind};
use crate::instant::Instant;
use crate::ports::store::StoreError;
use crate::receipts::{
    Kept, NewReceipt, PendingReceipt, ReceiptId, ReceiptOutcome, ReceiptQueries, ReceiptRepository,
    ReceiptState,
};

#[derive(Debug, Clone)]
pub(super) struct ReceiptRow {
    pub(super) kept: NewReceipt,
    pub(super) outcome: Option<ReceiptOutcome>,
    pub(super) settled_at: Option<Instant>,
}

impl ReceiptRow {
    fn is_uninterpreted(&self) -> bool {
        let state = self.outcome.as_ref().map(|outcome| outcome.state);
        state == Some(ReceiptState::Uninterpreted)
    }

    fn is_unclaimed_in(&self, conversation: ConversationId) -> bool {
        self.outcome.as_ref().is_some_and(|outcome| {
            outcome.state == ReceiptState::Unclaimed && outcome.conversation_id == Some(conversation)
        })
    }

    fn pending(&self, id: i64) -> PendingReceipt {
        PendingReceipt {
            id: ReceiptId::new(id),
            bot: self.kept.bot.clone(),
            body: self.kept.body.clone(),
            received_at: self.kept.received_at,
        }
    }

    pub(super) fn is_pending(&self) -> bool {
        self.outcome
            .as_ref()
            .is_none_or(|outcome| outcome.state == ReceiptState::Pending)
    }
}

impl ReceiptQueries for Unit {
    fn pending_receipts(&mut self, limit: usize) -> Result<Vec<PendingReceipt>, StoreError> {
        self.look(|state| {
            let pending = state.receipts.iter().filter(|(_, row)| row.is_pending());
            pending.take(limit).map(|(id, row)| row.pending(id)).collect()
        })
    }

    fn unclaimed_receipts(
        &mut self,
        conversation: ConversationId,
        after: Option<ReceiptId>,
        limit: usize,
    ) -> Result<Vec<PendingReceipt>, StoreError> {
        self.look(|state| {
            let rows = state.receipts.iter_after(after.map_or(0, ReceiptId::get));
            rows.filter(|(_, row)| row.is_unclaimed_in(conversation))
                .take(limit)
                .map(|(id, row)| row.pending(id))
                .collect()
        })
    }

    fn unclaimed_rooms(&mut self) -> Result<Vec<ConversationId>, StoreError> {
        self.look(|state| {
            let talks = state.conversations.iter().map(|(_, talk)| talk);
            let rooms = talks.filter(|talk| talk.key.kind == ConversationKind::Room);
            let waits = |id| state.receipts.iter().any(|(_, row)| row.is_unclaimed_in(id));
            rooms.map(|room| room.id).filter(|id| waits(*id)).collect()
        })
    }

    fn uninterpreted_receipts(&mut self) -> Result<usize, StoreError> {
        self.look(|state| {
            state
                .receipts
                .iter()
                .filter(|(_, row)| row.is_uninterpreted())
                .count()
        })
    }

    fn last_received(&mut self) -> Result<Option<Instant>, StoreError> {
        self.look(|state| state.receipts.iter().map(|(_, row)| row.kept.received_at).max())
    }
}

impl ReceiptRepository for Unit {
    fn keep_receipt(&mut self, receipt: &NewReceipt) -> Result<Kept, StoreError> {
        self.change(|state| {
            let same =
                |row: &ReceiptRow| row.kept.issued == receipt.issued && row.kept.digest == receipt.digest;
            if state.receipts.iter().any(|(_, row)| same(row)) {
                return Ok(Kept::Existed);
            }
            let id = state.receipts.insert(|_| ReceiptRow {
                kept: receipt.clone(),
                outcome: None,
                settled_at: None,
            });
            Ok(Kept::Added(ReceiptId::new(id)))
        })
    }

    fn settle_receipts(&mut self, outcomes: &[ReceiptOutcome], at: Instant) -> Result<usize, StoreError> {
        self.change(|state| {
            let mut settled = 0;
            for outcome in outcomes {
                if let Some(row) = state.receipts.get_mut(outcome.id.get())
                    && row.is_pending()
                {
                    row.outcome = Some(outcome.clone());
                    row.settled_at = Some(at);
                    settled += 1;
                }
            }
            Ok(settled)
        })
    }

    fn claim_receipts(&mut self, ids: &[ReceiptId]) -> Result<usize, StoreError> {
        self.change(|state| {
            let mut claimed = 0;
            for id in ids {
                let row = state.receipts.get_mut(id.get());
                if let Some(outcome) = row.and_then(|row| row.outcome.as_mut())
                    && outcome.state == ReceiptState::Unclaimed
                {
                    outcome.state = ReceiptState::Recorded;
                    claimed += 1;
                }
            }
            Ok(claimed)
        })
    }

    fn reopen_receipts(&mut self) -> Result<usize, StoreError> {
        self.change(|state| {
            let lost = state.receipts.iter().filter(|(_, row)| row.is_uninterpreted());
            let ids: Vec<i64> = lost.map(|(id, _)| id).collect();
            for id in &ids {
                if let Some(row) = state.receipts.get_mut(*id) {
                    row.outcome = None;
                }
            }
            Ok(ids.len())
        })
    }
}
