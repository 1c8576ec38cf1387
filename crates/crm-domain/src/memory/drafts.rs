//! Drafts in memory.

use super::unit::Unit;
use crate::conversations::ConversationId;
use crate::drafts::{Draft, DraftQueries, DraftRepository};
use crate::instant::Instant;
use crate::members::MemberId;
use crate::ports::store::StoreError;

#[derive(Debug, Clone)]
pub(super) struct DraftRow {
    pub(super) conversation: ConversationId,
    pub(super) member: MemberId,
    pub(super) draft: Draft,
}

impl DraftQueries for Unit {
    fn draft(&mut self, conversation: ConversationId, member: MemberId) -> Result<Option<Draft>, StoreError> {
        self.look(|state| {
            let mut rows = state.drafts.iter().map(|(_, row)| row);
            let row = rows.find(|row| row.conversation == conversation && row.member == member)?;
            Some(row.draft.clone())
        })
    }
}

impl DraftRepository for Unit {
    fn keep_draft(
        &mut self,
        conversation: ConversationId,
        member: MemberId,
        text: &str,
        at: Instant,
    ) -> Result<(), StoreError> {
        self.change(|state| {
            if state.conversations.get(conversation.get()).is_none() {
                return Err(StoreError::Missing("conversation_id"));
            }
            state
                .drafts
                .retain(|row| row.conversation != conversation || row.member != member);
            if !text.is_empty() {
                state.drafts.insert(|_| DraftRow {
                    conversation,
                    member,
                    draft: Draft {
                        text: text.to_owned(),
                        updated_at: at,
                    },
                });
            }
            Ok(())
        })
    }
}
