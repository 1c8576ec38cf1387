//! Conversations: one LINE WORKS user id (or room) on one bot. What its customers' pages show of it is stored with it,
//! in the same unit of work that changes it.

use crate::id::Id;
use crate::instant::Instant;
use crate::ports::store::StoreError;
use crate::standings::Standing;
use crate::values::LineUserId;

/// A conversation's key.
pub type ConversationId = Id<Conversation>;

/// Who talks: a person with the bot, or a room that the bot is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConversationKind {
    /// One person and the bot.
    Person,
    /// A room with several members.
    Room,
}

impl ConversationKind {
    /// The code that stores keep.
    pub fn code(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Room => "room",
        }
    }

    /// The kind of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Person, Self::Room]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// What makes a conversation this one and no other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConversationKey {
    /// The bot's id, digits as LINE WORKS writes them; empty for talks imported before any bot was set up.
    pub bot: String,
    /// The person's user id, or the room's channel id.
    pub address: LineUserId,
    /// Person or room.
    pub kind: ConversationKind,
}

/// What is known of the line to the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// No message was received and none accepted so far.
    Unconfirmed,
    /// A message was received, or one of ours was accepted.
    Active,
    /// The person left the talk; messages do not arrive until they come back.
    Left,
}

impl LinkState {
    /// The code that stores keep.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unconfirmed => "unconfirmed",
            Self::Active => "active",
            Self::Left => "left",
        }
    }

    /// The state of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Unconfirmed, Self::Active, Self::Left]
            .into_iter()
            .find(|state| state.code() == code)
    }
}

/// What the pages show as LINE WORKS連携 (§6.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkStatus {
    /// 未設定: the customer has no LINE WORKS user id.
    NotSet,
    /// 設定済み（未確認）: an id, but no message so far.
    Unconfirmed,
    /// 連携済み（稼働中）: a message received or accepted exists.
    Active,
    /// 退室: the person left the talk then.
    Left(Instant),
}

impl LinkStatus {
    /// Stable name for catalogues, JSON and the command line.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotSet => "not_set",
            Self::Unconfirmed => "unconfirmed",
            Self::Active => "active",
            Self::Left(_) => "left",
        }
    }

    /// The status of a customer from the states of the conversations with their id, each with the instant that set it:
    /// the newest that says anything counts.
    pub fn of(has_id: bool, states: impl IntoIterator<Item = (LinkState, Instant)>) -> Self {
        if !has_id {
            return Self::NotSet;
        }
        let newest = states
            .into_iter()
            .filter(|(state, _)| *state != LinkState::Unconfirmed)
            .max_by_key(|(_, at)| *at);
        match newest {
            None | Some((LinkState::Unconfirmed, _)) => Self::Unconfirmed,
            Some((LinkState::Active, _)) => Self::Active,
            Some((LinkState::Left, at)) => Self::Left(at),
        }
    }
}

/// A conversation as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Its key.
    pub id: ConversationId,
    /// Bot, address and kind.
    pub key: ConversationKey,
    /// What is known of the line.
    pub link: LinkState,
    /// The instant of the event that set `link`; older events do not change it.
    pub link_at: Instant,
    /// Who waits, who has it, what was said last.
    pub standing: Standing,
    /// Earlier messages are still to be shown on the pages of customers who came to carry the id.
    pub claim_due: bool,
}

impl Conversation {
    /// [`Conversation::link_at`] of a conversation that no event has concerned: 1970, older than every event, so that
    /// the first one counts although it was issued before the conversation was opened.
    pub fn no_event() -> Instant {
        Instant::from_unix_millis(0)
    }
}

/// Looking conversations up.
pub trait ConversationQueries {
    /// One conversation.
    fn conversation(&mut self, id: ConversationId) -> Result<Option<Conversation>, StoreError>;

    /// The conversations with one of these people, on any bot.
    fn conversations_with(&mut self, people: &[LineUserId]) -> Result<Vec<Conversation>, StoreError>;

    /// Those of these ids that exist, in the given order.
    fn conversations_by_id(&mut self, ids: &[ConversationId]) -> Result<Vec<Conversation>, StoreError>;

    /// Those whose earlier messages are still to be shown, at most `limit`.
    fn claims_due(&mut self, limit: usize) -> Result<Vec<ConversationId>, StoreError>;

    /// Which of these channels are known to be rooms, on any bot.
    fn rooms_among(&mut self, channels: &[LineUserId]) -> Result<Vec<LineUserId>, StoreError>;

    /// Whether a message of it exists that was received or accepted by LINE WORKS and was not deleted.
    fn has_confirmed_message(&mut self, id: ConversationId) -> Result<bool, StoreError>;
}

/// Changing conversations.
pub trait ConversationRepository {
    /// The ids of these conversations in the given order; those that do not exist yet are added at `at`, unconfirmed since
    /// [`Conversation::no_event`]. Exactly one exists for a key, however many add it at once.
    fn open_conversations(
        &mut self,
        keys: &[ConversationKey],
        at: Instant,
    ) -> Result<Vec<ConversationId>, StoreError>;

    /// Stores where conversations stand, each as given but for the version, which is counted up.
    fn save_standings(&mut self, standings: &[(ConversationId, Standing)]) -> Result<(), StoreError>;

    /// Notes whether earlier messages are to be shown on the pages of those who carry the id.
    fn set_claim_due(&mut self, id: ConversationId, due: bool) -> Result<(), StoreError>;

    /// Sets the link state if `at` is not older than what set the present one.
    fn set_link(&mut self, id: ConversationId, link: LinkState, at: Instant) -> Result<(), StoreError>;

    /// Sets the link state whatever the time, when messages were deleted or brought back.
    fn reset_link(&mut self, id: ConversationId, link: LinkState) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::{LinkState, LinkStatus};
    use crate::instant::Instant;

    #[test]
    fn the_newest_word_on_the_line_counts() {
        let at = Instant::from_unix_millis;
        let states = [
            (LinkState::Active, at(1)),
            (LinkState::Left, at(2)),
            (LinkState::Unconfirmed, at(3)),
        ];
        assert_eq!(LinkStatus::of(true, states), LinkStatus::Left(at(2)));
        assert_eq!(LinkStatus::of(false, states), LinkStatus::NotSet);
        assert_eq!(LinkStatus::of(true, []), LinkStatus::Unconfirmed);
    }
}
