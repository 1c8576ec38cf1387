//! What a page shows beside a received message: its file, and whether it was said in a room.

use std::collections::{HashMap, HashSet};

use crm_domain::activities::Activity;
use crm_domain::attachments::Attachment;
use crm_domain::conversations::{ConversationId, ConversationKind};
use diesel::prelude::*;

use super::{Conn, attachments};
use crate::fault::Fault;
use crate::found::in_pieces;
use crate::schema::conversations;

/// Adds it to messages, each with the callback it came with.
pub(super) fn complete(
    conn: &mut Conn,
    messages: &mut [Activity],
    receipts: &[Option<i64>],
) -> Result<(), Fault> {
    let rooms = rooms_of(conn, messages)?;
    let with_file: Vec<i64> = messages
        .iter()
        .zip(receipts)
        .filter(|(message, _)| message.kind.has_file())
        .filter_map(|(_, receipt)| *receipt)
        .collect();
    let files: HashMap<i64, Attachment> = attachments::of_receipts(conn, &with_file)?
        .into_iter()
        .map(|file| (file.receipt_id.get(), file))
        .collect();
    for (message, receipt) in messages.iter_mut().zip(receipts) {
        let talk = message.conversation_id.map(ConversationId::get);
        message.in_room = talk.is_some_and(|id| rooms.contains(&id));
        message.file = receipt.and_then(|id| files.get(&id).cloned());
    }
    Ok(())
}

/// Those of their conversations that are rooms.
fn rooms_of(conn: &mut Conn, messages: &[Activity]) -> Result<HashSet<i64>, Fault> {
    let talks: HashSet<i64> = messages
        .iter()
        .filter_map(|message| message.conversation_id.map(ConversationId::get))
        .collect();
    let talks: Vec<i64> = talks.into_iter().collect();
    let rooms = in_pieces(&talks, |talks| {
        Ok(conversations::table
            .filter(conversations::id.eq_any(talks))
            .filter(conversations::kind.eq(ConversationKind::Room.code()))
            .select(conversations::id)
            .load(conn)?)
    })?;
    Ok(rooms.into_iter().collect())
}
