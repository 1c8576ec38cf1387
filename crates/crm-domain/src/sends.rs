//! Sends: messages of ours on their way. A message is on disk before it goes out, and its state says only what is known.

use crate::conversations::{ConversationId, ConversationKey};
use crate::id::Id;
use crate::instant::Instant;
use crate::members::MemberId;
use crate::ports::store::StoreError;
use crate::values::MessageText;

/// A sending's key.
pub type SendId = Id<Send>;

/// The reason of a message that is 結果不明 and was sent again by a person.
pub const RESENT: &str = "resent";

/// How far a message of ours got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SendState {
    /// 送信待ち: on disk, not gone out.
    Queued,
    /// 送信中: a sender works on it.
    Sending,
    /// 送信済み: accepted by LINE WORKS.
    Sent,
    /// 送信失敗: refused, or never left us.
    Failed,
    /// 結果不明: it went out, and what became of it is not known.
    Unknown,
}

impl SendState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Queued,
        Self::Sending,
        Self::Sent,
        Self::Failed,
        Self::Unknown,
    ];

    /// The code that stores keep, and the name in catalogues and JSON.
    pub fn code(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// The state of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Whether nothing will change it but a person.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Sent | Self::Failed | Self::Unknown)
    }

    /// The prefix of a sent message in plain text, fixed by the specification (§4.4.2) whatever the reader's language.
    pub fn plain_prefix(self) -> &'static str {
        match self {
            Self::Queued | Self::Sending => "[送信待ち] ",
            Self::Sent => "[送信] ",
            Self::Failed => "[送信失敗] ",
            Self::Unknown => "[結果不明] ",
        }
    }
}

/// Who wrote a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The member, if it was one.
    pub member_id: Option<MemberId>,
    /// The name shown beside the message.
    pub name: String,
}

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSend {
    /// Made with the form: the same key sends once. 1 to 100 characters.
    pub key: String,
    /// To whom.
    pub conversation_id: ConversationId,
    /// What.
    pub text: MessageText,
    /// Who wrote it.
    pub author: Author,
    /// When it was asked for.
    pub queued_at: Instant,
}

/// Whether a message was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queued {
    /// It was, and waits to go out.
    Added(SendId),
    /// The same key was used for this one already.
    Existed(SendId),
}

impl Queued {
    /// The sending, new or not.
    pub fn id(self) -> SendId {
        match self {
            Self::Added(id) | Self::Existed(id) => id,
        }
    }
}

/// A message of ours as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send {
    /// Its key.
    pub id: SendId,
    /// The conversation it belongs to.
    pub conversation_id: ConversationId,
    /// To whom and by which bot.
    pub to: ConversationKey,
    /// The text, as checked when it was queued.
    pub text: String,
    /// Who wrote it.
    pub author: Author,
    /// How far it got.
    pub state: SendState,
    /// Why it was not sent or is not sure: a [`crate::ports::messenger::SendProblem`] code, or [`RESENT`].
    pub reason: Option<String>,
    /// When it was asked for.
    pub queued_at: Instant,
    /// When its state became final.
    pub finished_at: Option<Instant>,
}

/// Looking messages of ours up.
pub trait SendQueries {
    /// One sending.
    fn send(&mut self, id: SendId) -> Result<Option<Send>, StoreError>;

    /// Whether any message waits to go out or is on its way.
    fn sends_open(&mut self) -> Result<bool, StoreError>;
}

/// Changing messages of ours.
pub trait SendRepository {
    /// Queues a message once: the unique key decides, also between two at the same moment.
    fn add_send(&mut self, send: &NewSend) -> Result<Queued, StoreError>;

    /// Takes the oldest queued message of a conversation that has none on its way, marks it 送信中 by `run`
    /// (the random id of this process start) and returns it; `None` if there is nothing to do.
    fn claim_send(&mut self, run: &str, at: Instant) -> Result<Option<Send>, StoreError>;

    /// Settles a message that `run` has on its way; `false` if it is not any more.
    fn finish_send(
        &mut self,
        id: SendId,
        run: &str,
        state: SendState,
        reason: Option<&str>,
        at: Instant,
    ) -> Result<bool, StoreError>;

    /// Notes that a message that is 結果不明 was sent again; `false` if it is in another state.
    fn mark_resent(&mut self, id: SendId) -> Result<bool, StoreError>;

    /// Marks what other runs had on their way as 結果不明, and says how many; only when those runs are proved dead.
    fn abandon_sends(&mut self, living_run: &str, reason: &str, at: Instant) -> Result<usize, StoreError>;
}
