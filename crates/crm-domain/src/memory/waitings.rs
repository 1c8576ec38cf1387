//! Waitings in memory.

use super::state::State;
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

    fn open_waiting(&mut self, conversation: ConversationId) -> Result<Option<WaitingId>, StoreError> {
        self.look(|state| state.open_waiting(conversation))
    }

    fn resumable_waiting(&mut self, id: WaitingId) -> Result<Option<Instant>, StoreError> {
        self.look(|state| state.resumable_waiting(id))
    }
}

impl State {
    fn open_waiting(&self, conversation: ConversationId) -> Option<WaitingId> {
        let mut rows = self.waitings.iter().map(|(_, row)| row);
        let open = rows.find(|row| row.conversation_id == conversation && row.ended.is_none());
        open.map(|row| row.id)
    }

    fn resumable_waiting(&self, id: WaitingId) -> Option<Instant> {
        let ended = self.waitings.get(id.get()).filter(|row| row.ended.is_some())?;
        let another = self.open_waiting(ended.conversation_id);
        another.is_none().then_some(ended.since)
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
            let since = state.resumable_waiting(id);
            if since.is_some()
                && let Some(row) = state.waitings.get_mut(id.get())
            {
                row.ended = None;
            }
            Ok(since)
        })
    }
}
