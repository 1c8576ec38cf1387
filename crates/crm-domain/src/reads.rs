//! Unread marks: how much of a conversation each member has seen.

use crate::conversations::ConversationId;
use crate::members::MemberId;
use crate::ports::store::StoreError;

/// Changing unread marks.
pub trait ReadRepository {
    /// The member has seen everything received so far in this conversation; says whether there was anything new.
    fn mark_read(&mut self, conversation: ConversationId, member: MemberId) -> Result<bool, StoreError>;
}
