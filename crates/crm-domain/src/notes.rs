//! Notes (社内メモ): what staff write into a conversation for each other. Never sent.

use crate::conversations::ConversationId;
use crate::customers::CustomerId;
use crate::id::Id;
use crate::instant::Instant;
use crate::ports::store::StoreError;
use crate::sends::Author;
use crate::values::MessageText;

/// A note's key.
pub type NoteId = Id<Note>;

/// The prefix of a note in plain text, fixed whatever the reader's language.
pub const NOTE_PREFIX: &str = "[社内メモ] ";

/// A note to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNote {
    /// Made with the form: the same key is kept once. 1 to 100 characters.
    pub key: String,
    /// The conversation it belongs to; `None` when the customer has no user id.
    pub conversation_id: Option<ConversationId>,
    /// The customer on whose page it was written, if on one's.
    pub customer_id: Option<CustomerId>,
    /// Who wrote it.
    pub author: Author,
    /// What.
    pub text: MessageText,
    /// When.
    pub written_at: Instant,
}

/// A note as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its key.
    pub id: NoteId,
    /// Who wrote it.
    pub author: Author,
    /// What.
    pub text: String,
    /// When.
    pub written_at: Instant,
}

/// Looking notes up.
pub trait NoteQueries {
    /// The notes of a conversation that stand on no page, because nobody carries its address yet; oldest first.
    fn unshown_notes(&mut self, conversation: ConversationId) -> Result<Vec<Note>, StoreError>;
}

/// Changing notes.
pub trait NoteRepository {
    /// Keeps a note once: the unique key decides. `None` when it was kept before.
    fn add_note(&mut self, note: &NewNote) -> Result<Option<NoteId>, StoreError>;
}
