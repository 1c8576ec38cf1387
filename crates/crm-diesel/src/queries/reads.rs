//! Unread marks.

use std::collections::HashMap;

use crm_domain::conversations::ConversationId;
use crm_domain::members::MemberId;
use crm_domain::ports::store::StoreError;
use crm_domain::reads::ReadRepository;
use diesel::prelude::*;
use diesel::upsert::excluded;

use super::{Conn, Uow};
use crate::fault::Fault;
use crate::schema::{conversations, reads};

/// How many received messages of these conversations the member has seen.
pub(super) fn seen(conn: &mut Conn, ids: &[i64], member: MemberId) -> Result<HashMap<i64, i64>, Fault> {
    let rows: Vec<(i64, i64)> = reads::table
        .filter(reads::conversation_id.eq_any(ids))
        .filter(reads::member_id.eq(member.get()))
        .select((reads::conversation_id, reads::received))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

impl ReadRepository for Uow<'_> {
    fn mark_read(&mut self, conversation: ConversationId, member: MemberId) -> Result<bool, StoreError> {
        self.run(|conn| {
            let received: Option<i64> = conversations::table
                .find(conversation.get())
                .select(conversations::received)
                .first(conn)
                .optional()?;
            let Some(received) = received else {
                return Ok(false);
            };
            let before = seen(conn, &[conversation.get()], member)?;
            if before.get(&conversation.get()).copied().unwrap_or_default() == received {
                return Ok(false);
            }
            diesel::insert_into(reads::table)
                .values((
                    reads::conversation_id.eq(conversation.get()),
                    reads::member_id.eq(member.get()),
                    reads::received.eq(received),
                ))
                .on_conflict((reads::conversation_id, reads::member_id))
                .do_update()
                .set(reads::received.eq(excluded(reads::received)))
                .execute(conn)?;
            Ok(true)
        })
    }
}
