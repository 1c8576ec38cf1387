//! Drafts.

use crm_domain::conversations::ConversationId;
use crm_domain::drafts::{Draft, DraftQueries, DraftRepository};
use crm_domain::instant::Instant;
use crm_domain::members::MemberId;
use crm_domain::ports::store::StoreError;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::upsert::excluded;

use super::Uow;
use crate::schema::{conversations, drafts};
use crate::stamp::Stamp;

impl DraftQueries for Uow<'_> {
    fn draft(&mut self, conversation: ConversationId, member: MemberId) -> Result<Option<Draft>, StoreError> {
        self.run(|conn| {
            let row: Option<(String, Stamp)> = drafts::table
                .filter(drafts::conversation_id.eq(conversation.get()))
                .filter(drafts::member_id.eq(member.get()))
                .select((drafts::text, drafts::updated_at))
                .first(conn)
                .optional()?;
            Ok(row.map(|(text, at)| Draft {
                text,
                updated_at: at.0,
            }))
        })
    }
}

impl DraftRepository for Uow<'_> {
    fn keep_draft(
        &mut self,
        conversation: ConversationId,
        member: MemberId,
        text: &str,
        at: Instant,
    ) -> Result<(), StoreError> {
        self.run(|conn| {
            let known = conversations::table.find(conversation.get());
            if !diesel::select(exists(known)).get_result(conn)? {
                return Err(StoreError::Missing("conversation_id").into());
            }
            if text.is_empty() {
                let kept = drafts::table
                    .filter(drafts::conversation_id.eq(conversation.get()))
                    .filter(drafts::member_id.eq(member.get()));
                diesel::delete(kept).execute(conn)?;
                return Ok(());
            }
            diesel::insert_into(drafts::table)
                .values((
                    drafts::conversation_id.eq(conversation.get()),
                    drafts::member_id.eq(member.get()),
                    drafts::text.eq(text),
                    drafts::updated_at.eq(Stamp(at)),
                ))
                .on_conflict((drafts::conversation_id, drafts::member_id))
                .do_update()
                .set((
                    drafts::text.eq(excluded(drafts::text)),
                    drafts::updated_at.eq(excluded(drafts::updated_at)),
                ))
                .execute(conn)?;
            Ok(())
        })
    }
}
