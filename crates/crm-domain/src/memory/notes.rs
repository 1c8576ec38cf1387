//! Notes in memory.

use super::unit::Unit;
use crate::conversations::ConversationId;
use crate::notes::{NewNote, Note, NoteId, NoteQueries, NoteRepository};
use crate::ports::store::StoreError;

#[derive(Debug, Clone)]
pub(super) struct NoteRow {
    pub(super) stored: NewNote,
}

impl NoteQueries for Unit {
    fn unshown_notes(&mut self, conversation: ConversationId) -> Result<Vec<Note>, StoreError> {
        self.look(|state| {
            let rows = state.notes.iter();
            rows.filter(|(_, row)| row.stored.conversation_id == Some(conversation))
                .filter(|(id, _)| !state.shows(|shown| shown.note_id == Some(NoteId::new(*id))))
                .map(|(id, row)| Note {
                    id: NoteId::new(id),
                    author: row.stored.author.clone(),
                    text: row.stored.text.as_str().to_owned(),
                    written_at: row.stored.written_at,
                })
                .collect()
        })
    }
}

impl NoteRepository for Unit {
    fn add_note(&mut self, note: &NewNote) -> Result<Option<NoteId>, StoreError> {
        self.change(|state| {
            if state.notes.iter().any(|(_, row)| row.stored.key == note.key) {
                return Ok(None);
            }
            let id = state.notes.insert(|_| NoteRow { stored: note.clone() });
            Ok(Some(NoteId::new(id)))
        })
    }
}
