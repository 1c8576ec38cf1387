//! Attachments: the bytes of received photos, files, sounds and films. One for each message that carries some, whoever
//! sent it; fetched from LINE WORKS at once, because nobody knows how long it keeps them.

use time::Duration;

use crate::activities::MessageKind;
use crate::conversations::ConversationId;
use crate::customers::CustomerId;
use crate::id::Id;
use crate::instant::Instant;
use crate::ports::blobs::Blob;
use crate::ports::store::StoreError;
use crate::receipts::ReceiptId;

/// An attachment's key.
pub type AttachmentId = Id<Attachment>;

/// The largest file that is fetched, in bytes.
pub const LARGEST: u64 = 100 * 1024 * 1024;

/// How far an attachment got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttachmentState {
    /// 取得中: not fetched yet; `next_try_at` says when it is tried.
    Pending,
    /// Its bytes are kept.
    Stored,
    /// It cannot be fetched, and is not tried again by itself.
    Failed,
    /// LINE WORKS does not have it any more.
    Gone,
}

impl AttachmentState {
    /// The code that stores keep.
    pub fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Stored => "stored",
            Self::Failed => "failed",
            Self::Gone => "gone",
        }
    }

    /// The state of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Pending, Self::Stored, Self::Failed, Self::Gone]
            .into_iter()
            .find(|state| state.code() == code)
    }
}

/// An attachment as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its key.
    pub id: AttachmentId,
    /// The callback it came with; the messages of that callback show it.
    pub receipt_id: ReceiptId,
    /// The conversation it belongs to.
    pub conversation_id: Option<ConversationId>,
    /// The bot that received it.
    pub bot: String,
    /// LINE WORKS' id of the file.
    pub file_id: String,
    /// Photo, file, sound or film.
    pub kind: MessageKind,
    /// How far it got.
    pub state: AttachmentState,
    /// The file's name, if one is known.
    pub name: Option<String>,
    /// The media type that LINE WORKS named, if it did.
    pub media_type: Option<String>,
    /// Its bytes; of [`AttachmentState::Stored`] ones only.
    pub blob: Option<Blob>,
    /// How often it was tried in vain since it was added, or since somebody asked for it again.
    pub tries: u32,
    /// When it is tried next; of [`AttachmentState::Pending`] ones only.
    pub next_try_at: Option<Instant>,
    /// Why it is not there (yet): a [`crate::ports::files::FetchProblem`] code.
    pub reason: Option<String>,
    /// When it was added.
    pub added_at: Instant,
}

/// An attachment to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttachment {
    /// As [`Attachment::receipt_id`].
    pub receipt_id: ReceiptId,
    /// As [`Attachment::conversation_id`].
    pub conversation_id: Option<ConversationId>,
    /// As [`Attachment::bot`].
    pub bot: String,
    /// As [`Attachment::file_id`].
    pub file_id: String,
    /// As [`Attachment::kind`].
    pub kind: MessageKind,
    /// The name that the message told, if it did.
    pub name: Option<String>,
}

/// What became of trying to fetch one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttachmentOutcome {
    /// Its bytes are kept.
    Stored {
        /// The bytes.
        blob: Blob,
        /// The name that came with them; `None` leaves the one known.
        name: Option<String>,
        /// The media type that came with them.
        media_type: Option<String>,
    },
    /// It is tried again.
    Later {
        /// When.
        at: Instant,
        /// Why not now.
        reason: &'static str,
    },
    /// It is not there, and is not tried again by itself.
    Failed {
        /// Why.
        reason: &'static str,
    },
    /// LINE WORKS does not have it any more.
    Gone {
        /// Why that is known.
        reason: &'static str,
    },
}

/// How long to wait after so many tries in vain; `None` when it is given up, after three days.
pub fn next_wait(tries: u32) -> Option<Duration> {
    Some(match tries {
        0 | 1 => Duration::seconds(2),
        2 => Duration::seconds(10),
        3 => Duration::minutes(1),
        4..=8 => Duration::minutes(5),
        9..=12 => Duration::minutes(30),
        13..=35 => Duration::hours(3),
        _ => return None,
    })
}

/// Looking attachments up.
pub trait AttachmentQueries {
    /// One attachment.
    fn attachment(&mut self, id: AttachmentId) -> Result<Option<Attachment>, StoreError>;

    /// The attachments that came with these callbacks, oldest first.
    fn attachments_of_receipts(&mut self, receipts: &[ReceiptId]) -> Result<Vec<Attachment>, StoreError>;

    /// The customers on whose pages the message of this callback stands.
    fn customers_shown(&mut self, receipt: ReceiptId) -> Result<Vec<CustomerId>, StoreError>;

    /// Those that wait to be fetched, the one whose turn is next first, at most `limit`; those of later times too.
    fn waiting_attachments(&mut self, limit: usize) -> Result<Vec<Attachment>, StoreError>;

    /// How many are not there and are not tried again by themselves.
    fn missing_attachments(&mut self) -> Result<usize, StoreError>;
}

/// Changing attachments.
pub trait AttachmentRepository {
    /// Takes those whose time has come at `at` and that nobody fetches, the one whose turn is next first, at most `limit`.
    /// The claim is a lease that lasts so long by the database's clock; what becomes of a file ends it.
    fn claim_attachments(
        &mut self,
        limit: usize,
        at: Instant,
        lasts: Duration,
    ) -> Result<Vec<Attachment>, StoreError>;

    /// Adds them, to be fetched at once; a callback that has one already gets no second.
    fn add_attachments(&mut self, attachments: &[NewAttachment], at: Instant) -> Result<(), StoreError>;

    /// Notes what became of a pending one; `false` if it is not pending.
    fn settle_attachment(
        &mut self,
        id: AttachmentId,
        outcome: &AttachmentOutcome,
    ) -> Result<bool, StoreError>;

    /// Makes one that is failed or gone pending again, to be fetched at once; `false` if it is neither.
    fn reopen_attachment(&mut self, id: AttachmentId, at: Instant) -> Result<bool, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::next_wait;

    #[test]
    fn waits_grow_and_end_after_some_days() {
        let waits: Vec<_> = (0..99).map_while(next_wait).collect();
        assert!(waits.is_sorted());
        let all: time::Duration = waits.into_iter().sum();
        assert!(all > time::Duration::days(2) && all < time::Duration::days(4));
    }
}
