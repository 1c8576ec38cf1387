//! What members have in hand.

use crm_domain::conversations::ConversationId;
use crm_domain::customers::CustomerId;
use crm_domain::holdings::{HoldingQueries, Holdings};
use crm_domain::members::MemberId;
use crm_domain::ports::store::StoreError;
use diesel::prelude::*;

use super::Uow;
use crate::found::rows;
use crate::schema::{conversations, customers};

impl HoldingQueries for Uow<'_> {
    fn holdings(&mut self, member: MemberId) -> Result<Holdings, StoreError> {
        self.run(|conn| {
            let owned: i64 = customers::table
                .filter(customers::owner_id.eq(member.get()))
                .filter(customers::deleted_at.is_null())
                .count()
                .get_result(conn)?;
            let handled: i64 = conversations::table
                .filter(conversations::handler_id.eq(member.get()))
                .count()
                .get_result(conn)?;
            Ok(Holdings {
                customers: usize::try_from(owned).unwrap_or_default(),
                conversations: usize::try_from(handled).unwrap_or_default(),
            })
        })
    }

    fn owned_customers(&mut self, member: MemberId, limit: usize) -> Result<Vec<CustomerId>, StoreError> {
        self.run(|conn| {
            let found: Vec<i64> = customers::table
                .filter(customers::owner_id.eq(member.get()))
                .filter(customers::deleted_at.is_null())
                .order(customers::id)
                .limit(rows(limit))
                .select(customers::id)
                .load(conn)?;
            Ok(found.into_iter().map(CustomerId::new).collect())
        })
    }

    fn handled_conversations(
        &mut self,
        member: MemberId,
        limit: usize,
    ) -> Result<Vec<ConversationId>, StoreError> {
        self.run(|conn| {
            let found: Vec<i64> = conversations::table
                .filter(conversations::handler_id.eq(member.get()))
                .order(conversations::id)
                .limit(rows(limit))
                .select(conversations::id)
                .load(conn)?;
            Ok(found.into_iter().map(ConversationId::new).collect())
        })
    }
}
