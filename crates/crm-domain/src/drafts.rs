//! Drafts: what a member typed into a conversation and has not sent. One for each member and conversation.

use crate::conversations::ConversationId;
use crate::instant::Instant;
use crate::members::MemberId;
use crate::ports::store::StoreError;

/// The most characters a draft keeps: more than can be sent, so that nothing typed is lost before it is shortened.
pub const DRAFT_MAX: usize = 10_000;

/// A draft as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What was typed, at most [`DRAFT_MAX`] characters.
    pub text: String,
    /// When it was kept.
    pub updated_at: Instant,
}

/// Looking drafts up.
pub trait DraftQueries {
    /// What the member left there.
    fn draft(&mut self, conversation: ConversationId, member: MemberId) -> Result<Option<Draft>, StoreError>;
}

/// Changing drafts.
pub trait DraftRepository {
    /// Keeps what was typed in place of what was there; an empty text keeps nothing.
    fn keep_draft(
        &mut self,
        conversation: ConversationId,
        member: MemberId,
        text: &str,
        at: Instant,
    ) -> Result<(), StoreError>;
}
