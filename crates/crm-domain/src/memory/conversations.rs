//! Conversations in memory.

use super::erasures::Opening;
use super::state::State;
use super::unit::Unit;
use crate::conversations::{
    Conversation, ConversationId, ConversationKey, ConversationKind, ConversationQueries,
    ConversationRepository, LinkState,
};
use crate::instant::Instant;
use crate::ports::store::StoreError;
use crate::standings::Standing;
use crate::values::LineUserId;

impl State {
    /// The talks of this person, on any bot.
    pub(super) fn conversations_of(&self, user: &LineUserId) -> impl Iterator<Item = &Conversation> {
        self.conversations
            .iter()
            .map(|(_, talk)| talk)
            .filter(move |talk| talk.key.kind == ConversationKind::Person && talk.key.address == *user)
    }

    fn open_conversation(&mut self, key: &ConversationKey, at: Instant) -> ConversationId {
        let existing = self.conversations.iter().find(|(_, talk)| talk.key == *key);
        if let Some((id, _)) = existing {
            return ConversationId::new(id);
        }
        let id = self.conversations.insert(|id| Conversation {
            id: ConversationId::new(id),
            key: key.clone(),
            link: LinkState::Unconfirmed,
            link_at: Conversation::no_event(),
            standing: Standing {
                version: 1,
                ..Standing::default()
            },
            claim_due: false,
        });
        let talk = ConversationId::new(id);
        self.openings.insert(|_| Opening { talk, at });
        talk
    }
}

impl ConversationQueries for Unit {
    fn conversation(&mut self, id: ConversationId) -> Result<Option<Conversation>, StoreError> {
        self.look(|state| state.conversations.get(id.get()).cloned())
    }

    fn conversations_with(&mut self, people: &[LineUserId]) -> Result<Vec<Conversation>, StoreError> {
        self.look(|state| {
            let talks = state.conversations.iter().map(|(_, talk)| talk);
            talks
                .filter(|talk| {
                    talk.key.kind == ConversationKind::Person && people.contains(&talk.key.address)
                })
                .cloned()
                .collect()
        })
    }

    fn conversations_by_id(&mut self, ids: &[ConversationId]) -> Result<Vec<Conversation>, StoreError> {
        self.look(|state| {
            let found = ids.iter().filter_map(|id| state.conversations.get(id.get()));
            found.cloned().collect()
        })
    }

    fn claims_due(&mut self, limit: usize) -> Result<Vec<ConversationId>, StoreError> {
        self.look(|state| {
            let talks = state.conversations.iter().map(|(_, talk)| talk);
            let due = talks.filter(|talk| talk.claim_due).take(limit);
            due.map(|talk| talk.id).collect()
        })
    }

    fn rooms_among(&mut self, channels: &[LineUserId]) -> Result<Vec<LineUserId>, StoreError> {
        self.look(|state| {
            let is_room = |channel: &LineUserId| {
                state
                    .conversations
                    .iter()
                    .any(|(_, talk)| talk.key.kind == ConversationKind::Room && talk.key.address == *channel)
            };
            channels
                .iter()
                .filter(|channel| is_room(channel))
                .cloned()
                .collect()
        })
    }

    fn has_confirmed_message(&mut self, id: ConversationId) -> Result<bool, StoreError> {
        self.look(|state| state.has_confirmed_message(id))
    }
}

impl ConversationRepository for Unit {
    fn open_conversations(
        &mut self,
        keys: &[ConversationKey],
        at: Instant,
    ) -> Result<Vec<ConversationId>, StoreError> {
        self.change(|state| Ok(keys.iter().map(|key| state.open_conversation(key, at)).collect()))
    }

    fn save_standings(&mut self, standings: &[(ConversationId, Standing)]) -> Result<(), StoreError> {
        self.change(|state| {
            for (id, standing) in standings {
                if let Some(talk) = state.conversations.get_mut(id.get()) {
                    let version = talk.standing.version + 1;
                    talk.standing = Standing {
                        version,
                        ..standing.clone()
                    };
                }
            }
            Ok(())
        })
    }

    fn set_claim_due(&mut self, id: ConversationId, due: bool) -> Result<(), StoreError> {
        self.change(|state| {
            if let Some(talk) = state.conversations.get_mut(id.get()) {
                talk.claim_due = due;
            }
            Ok(())
        })
    }

    fn set_link(&mut self, id: ConversationId, link: LinkState, at: Instant) -> Result<(), StoreError> {
        self.change(|state| {
            if let Some(talk) = state.conversations.get_mut(id.get())
                && at >= talk.link_at
            {
                talk.link = link;
                talk.link_at = at;
            }
            Ok(())
        })
    }

    fn reset_link(&mut self, id: ConversationId, link: LinkState) -> Result<(), StoreError> {
        self.change(|state| {
            if let Some(talk) = state.conversations.get_mut(id.get()) {
                talk.link = link;
            }
            Ok(())
        })
    }
}
