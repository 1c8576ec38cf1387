//! What members have in hand, in memory.

use super::state::State;
use super::unit::Unit;
use crate::conversations::ConversationId;
use crate::customers::CustomerId;
use crate::holdings::{HoldingQueries, Holdings};
use crate::members::MemberId;
use crate::ports::store::StoreError;

impl State {
    fn owned_by(&self, member: MemberId) -> impl Iterator<Item = CustomerId> {
        let rows = self.customers.iter().map(|(_, row)| row);
        rows.filter(move |row| row.is_visible() && row.customer.owner_id == Some(member))
            .map(|row| row.customer.id)
    }

    fn handled_by(&self, member: MemberId) -> impl Iterator<Item = ConversationId> {
        let talks = self.conversations.iter().map(|(_, talk)| talk);
        talks
            .filter(move |talk| talk.standing.handler_id == Some(member))
            .map(|talk| talk.id)
    }
}

impl HoldingQueries for Unit {
    fn holdings(&mut self, member: MemberId) -> Result<Holdings, StoreError> {
        self.look(|state| Holdings {
            customers: state.owned_by(member).count(),
            conversations: state.handled_by(member).count(),
        })
    }

    fn owned_customers(&mut self, member: MemberId, limit: usize) -> Result<Vec<CustomerId>, StoreError> {
        self.look(|state| state.owned_by(member).take(limit).collect())
    }

    fn handled_conversations(
        &mut self,
        member: MemberId,
        limit: usize,
    ) -> Result<Vec<ConversationId>, StoreError> {
        self.look(|state| state.handled_by(member).take(limit).collect())
    }
}
