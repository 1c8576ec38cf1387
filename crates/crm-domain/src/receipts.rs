//! Receipts: callbacks as they came, on disk before they are answered, understood afterwards.

use crate::conversations::ConversationId;
use crate::id::Id;
use crate::instant::Instant;
use crate::ports::store::StoreError;

/// A receipt's key.
pub type ReceiptId = Id<PendingReceipt>;

/// A verified callback to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReceipt {
    /// The id of the bot whose secret verified it.
    pub bot: String,
    /// `issuedTime` as received, at most 40 characters, empty if it cannot be read: the front of the unique key.
    pub issued: String,
    /// The first 16 bytes of SHA-256 over the bot id and the raw body: the rest of the unique key.
    pub digest: [u8; 16],
    /// The raw body.
    pub body: Vec<u8>,
    /// When it came.
    pub received_at: Instant,
}

/// Whether a callback was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It was, and is kept now.
    Added(ReceiptId),
    /// The same one is kept already.
    Existed,
}

/// A kept callback that waits to be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingReceipt {
    /// Its key.
    pub id: ReceiptId,
    /// The id of the bot that received it.
    pub bot: String,
    /// The raw body.
    pub body: Vec<u8>,
    /// When it came.
    pub received_at: Instant,
}

/// How far a callback got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReceiptState {
    /// Kept, not looked at.
    Pending,
    /// Its message stands in the conversations of the customers concerned, or its event had its effect.
    Recorded,
    /// A message of a person who is no customer (yet); the body holds it.
    Unclaimed,
    /// Nothing to show: an event that concerns no conversation, or a kind that this version does not know.
    Ignored,
    /// 未解釈: the body cannot be understood; the reason stands beside it.
    Uninterpreted,
}

impl ReceiptState {
    /// The code that stores keep.
    pub fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Recorded => "recorded",
            Self::Unclaimed => "unclaimed",
            Self::Ignored => "ignored",
            Self::Uninterpreted => "uninterpreted",
        }
    }

    /// The state of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        [
            Self::Pending,
            Self::Recorded,
            Self::Unclaimed,
            Self::Ignored,
            Self::Uninterpreted,
        ]
        .into_iter()
        .find(|state| state.code() == code)
    }
}

/// What became of a callback when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptOutcome {
    /// Which one.
    pub id: ReceiptId,
    /// How far it got.
    pub state: ReceiptState,
    /// The conversation it belongs to, if any.
    pub conversation_id: Option<ConversationId>,
    /// Why it was not understood or is ignored: a word of ours, never a word of the body.
    pub reason: Option<String>,
}

/// Looking callbacks up.
pub trait ReceiptQueries {
    /// The oldest pending ones, at most `limit`, in the order in which they were kept.
    fn pending_receipts(&mut self, limit: usize) -> Result<Vec<PendingReceipt>, StoreError>;

    /// The messages of a conversation that no customer could claim yet, oldest first, at most `limit`, after the one given.
    fn unclaimed_receipts(
        &mut self,
        conversation: ConversationId,
        after: Option<ReceiptId>,
        limit: usize,
    ) -> Result<Vec<PendingReceipt>, StoreError>;

    /// The rooms with messages that no customer could claim yet.
    fn unclaimed_rooms(&mut self) -> Result<Vec<ConversationId>, StoreError>;

    /// How many could not be understood.
    fn uninterpreted_receipts(&mut self) -> Result<usize, StoreError>;

    /// When the newest callback came, if any did.
    fn last_received(&mut self) -> Result<Option<Instant>, StoreError>;
}

/// Changing callbacks.
pub trait ReceiptRepository {
    /// Keeps a callback once: the unique key decides, also between two at the same moment.
    fn keep_receipt(&mut self, receipt: &NewReceipt) -> Result<Kept, StoreError>;

    /// Notes what became of pending ones and says how many it were; those that are not pending any more stay as they are.
    fn settle_receipts(&mut self, outcomes: &[ReceiptOutcome], at: Instant) -> Result<usize, StoreError>;

    /// Notes that unclaimed ones stand on customers' pages now, and says how many it were.
    fn claim_receipts(&mut self, ids: &[ReceiptId]) -> Result<usize, StoreError>;

    /// Makes those that could not be understood pending again and says how many it were.
    fn reopen_receipts(&mut self) -> Result<usize, StoreError>;
}
