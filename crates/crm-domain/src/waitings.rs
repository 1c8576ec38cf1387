//! Waitings: each time that a person waits for us, kept as a row of its own for reports.

use crate::conversations::ConversationId;
use crate::id::Id;
use crate::instant::Instant;
use crate::members::MemberId;
use crate::ports::store::StoreError;

/// A waiting's key.
pub type WaitingId = Id<Waiting>;

/// How a waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WaitingEnd {
    /// 送信済み: LINE WORKS accepted an answer.
    Answered,
    /// 送信済みとみなす: a person takes an unconfirmed answer as sent.
    TakenAsSent,
    /// 返信不要 or 対応済みにする.
    Closed,
}

impl WaitingEnd {
    /// Every end.
    pub const ALL: [Self; 3] = [Self::Answered, Self::TakenAsSent, Self::Closed];

    /// The code that stores keep.
    pub fn code(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::TakenAsSent => "taken_as_sent",
            Self::Closed => "closed",
        }
    }

    /// The end of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.code() == code)
    }
}

/// A waiting that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub until: Instant,
    /// How.
    pub how: WaitingEnd,
    /// Who answered or closed; `None` for programs and the command line.
    pub by: Option<MemberId>,
    /// When the person first got an answer; `None` when none was needed.
    pub first_response_at: Option<Instant>,
}

/// A waiting as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its key.
    pub id: WaitingId,
    /// Whose conversation waits.
    pub conversation_id: ConversationId,
    /// Since when: the time of the oldest message that was not answered.
    pub since: Instant,
    /// `None` while it lasts.
    pub ended: Option<Ended>,
}

/// Looking waitings up.
pub trait WaitingQueries {
    /// The waitings of a conversation, newest first, at most `limit`.
    fn waitings_of(&mut self, conversation: ConversationId, limit: usize)
    -> Result<Vec<Waiting>, StoreError>;

    /// The waiting of a conversation that has not ended.
    fn open_waiting(&mut self, conversation: ConversationId) -> Result<Option<WaitingId>, StoreError>;

    /// Since when a waiting lasted whose end [`WaitingRepository::resume_waiting`] would take back; `None` if it would not.
    fn resumable_waiting(&mut self, id: WaitingId) -> Result<Option<Instant>, StoreError>;
}

/// Changing waitings.
pub trait WaitingRepository {
    /// The conversation waits since then: begins a waiting, or moves the one that lasts.
    fn note_waiting(&mut self, conversation: ConversationId, since: Instant) -> Result<(), StoreError>;

    /// Ends the one that lasts and says which it was; `None` if none does.
    fn end_waiting(
        &mut self,
        conversation: ConversationId,
        ended: &Ended,
    ) -> Result<Option<WaitingId>, StoreError>;

    /// Takes the end of one back and says since when it lasts; `None` if it lasts, is not there, or another has begun.
    fn resume_waiting(&mut self, id: WaitingId) -> Result<Option<Instant>, StoreError>;
}
