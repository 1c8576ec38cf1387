//! Holdings: what a member has in hand, to be handed over when the member leaves.

use crate::conversations::ConversationId;
use crate::customers::CustomerId;
use crate::members::MemberId;
use crate::ports::store::StoreError;

/// How much a member has in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holdings {
    /// Customers outside the trash whose 担当者 the member is.
    pub customers: usize,
    /// Conversations whose 対応者 the member is.
    pub conversations: usize,
}

impl Holdings {
    /// Whether there is nothing to hand over.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// Looking up what members have in hand.
pub trait HoldingQueries {
    /// How much a member has in hand.
    fn holdings(&mut self, member: MemberId) -> Result<Holdings, StoreError>;

    /// Customers outside the trash whose 担当者 the member is, by id, at most `limit`.
    fn owned_customers(&mut self, member: MemberId, limit: usize) -> Result<Vec<CustomerId>, StoreError>;

    /// Conversations whose 対応者 the member is, by id, at most `limit`.
    fn handled_conversations(
        &mut self,
        member: MemberId,
        limit: usize,
    ) -> Result<Vec<ConversationId>, StoreError>;
}
