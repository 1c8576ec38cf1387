//! Unread marks in memory.

use super::unit::Unit;
use crate::conversations::ConversationId;
use crate::members::MemberId;
use crate::ports::store::StoreError;
use crate::reads::ReadRepository;

/// How many received messages of a conversation a member has seen.
#[derive(Debug, Clone)]
pub(super) struct ReadMark {
    pub(super) conversation: ConversationId,
    pub(super) member: MemberId,
    pub(super) received: i64,
}

impl ReadRepository for Unit {
    fn mark_read(&mut self, conversation: ConversationId, member: MemberId) -> Result<bool, StoreError> {
        self.change(|state| {
            let Some(talk) = state.conversations.get(conversation.get()) else {
                return Ok(false);
            };
            let received = talk.standing.received;
            let is_it = |mark: &ReadMark| mark.conversation == conversation && mark.member == member;
            if let Some(mark) = state.reads.iter_mut().find(|mark| is_it(mark)) {
                let new = mark.received != received;
                mark.received = received;
                return Ok(new);
            }
            state.reads.insert(|_| ReadMark {
                conversation,
                member,
                received,
            });
            Ok(received > 0)
        })
    }
}
