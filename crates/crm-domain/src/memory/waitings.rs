//! Waitings in memory.

use super::unit::Unit;
use crate::conversations::ConversationId;
use crate::instant::Instant;
use crate::ports::store::StoreError;
use crate::waitings::{Ended, Waiting, WaitingId, WaitingQueries, WaitingRepository};

impl WaitingQueries for Unit {
    fn waitings_of(
        &mut self,
        conversation: ConversationId,
        limit: usize,
    ) -> Result<Vec<Waiting>, StoreError> {
        self.look(|state| {
            let rows = state.waitings.iter().rev().map(|(_, row)| row);
            rows.filter(|row| row.conversation_id == conversation)
                .take(limit)
                .cloned()
                .collect()
        })
    }
}

impl WaitingRepository for Unit {
    fn note_waiting(&mut self, conversation: ConversationId, since: Instant) -> Result<(), StoreError> {
        self.change(|state| {
            let is_open = |row: &Waiting| row.conversation_id == conversation && row.ended.is_none();
            if let Some(open) = state.waitings.iter_mut().find(|row| is_open(row)) {
                open.since = since;
                return Ok(());
            }
            state.waitings.insert(|id| Waiting {
                id: WaitingId::new(id),
                conversation_id: conversation,
                since,
                ended: None,
            });
            Ok(())
        })
    }

    fn end_waiting(
        &mut self,
        conversation: ConversationId,
        ended: &Ended,
    ) -> Result<Option<WaitingId>, StoreError> {
        self.change(|state| {
            let mut rows = state.waitings.iter_mut();
            let open = rows.find(|row| row.conversation_id == conversation && row.ended.is_none());
            Ok(open.map(|row| {
                row.ended = Some(ended.clone());
                row.id
            }))
        })
    }

    fn resume_waiting(&mut self, id: WaitingId) -> Result<Option<Instant>, StoreError> {
        self.change(|state| {
            let Some(ended) = state.waitings.get(id.get()).filter(|row| row.ended.is_some()) else {
                return Ok(None);
            };
            let conversation = ended.conversation_id;
            let is_open = |row: &Waiting| row.conversation_id == conversation && row.ended.is_none();
            if state.waitings.iter().any(|(_, row)| is_open(row)) {
                return Ok(None);
            }
            Ok(state.waitings.get_mut(id.get()).map(|row| {
                row.ended = None;
                row.since
            }))
        })
    }
}
