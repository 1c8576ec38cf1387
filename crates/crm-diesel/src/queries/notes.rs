//! Notes.

use crm_domain::conversations::ConversationId;
use crm_domain::customers::CustomerId;
use crm_domain::members::MemberId;
use crm_domain::notes::{NewNote, Note, NoteId, NoteQueries, NoteRepository};
use crm_domain::ports::store::StoreError;
use crm_domain::sends::Author;
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::Uow;
use crate::schema::{activities, notes};
use crate::stamp::Stamp;

#[derive(Queryable, Selectable)]
#[diesel(table_name = notes)]
struct NoteRow {
    id: i64,
    author_id: Option<i64>,
    author_name: String,
    text: String,
    written_at: Stamp,
}

impl From<NoteRow> for Note {
    fn from(row: NoteRow) -> Self {
        Self {
            id: NoteId::new(row.id),
            author: Author {
                member_id: row.author_id.map(MemberId::new),
                name: row.author_name,
            },
            text: row.text,
            written_at: row.written_at.0,
        }
    }
}

impl NoteQueries for Uow<'_> {
    fn unshown_notes(&mut self, conversation: ConversationId) -> Result<Vec<Note>, StoreError> {
        self.run(|conn| {
            let shown = activities::table.filter(activities::note_id.eq(notes::id.nullable()));
            let unshown: Vec<NoteRow> = notes::table
                .filter(notes::conversation_id.eq(conversation.get()))
                .filter(not(exists(shown)))
                .order_by(notes::id)
                .select(NoteRow::as_select())
                .load(conn)?;
            Ok(unshown.into_iter().map(Note::from).collect())
        })
    }
}

impl NoteRepository for Uow<'_> {
    fn add_note(&mut self, note: &NewNote) -> Result<Option<NoteId>, StoreError> {
        self.run(|conn| {
            let added: Option<i64> = diesel::insert_into(notes::table)
                .values((
                    notes::key.eq(&note.key),
                    notes::conversation_id.eq(note.conversation_id.map(ConversationId::get)),
                    notes::customer_id.eq(note.customer_id.map(CustomerId::get)),
                    notes::author_id.eq(note.author.member_id.map(MemberId::get)),
                    notes::author_name.eq(&note.author.name),
                    notes::text.eq(note.text.as_str()),
                    notes::written_at.eq(Stamp(note.written_at)),
                ))
                .on_conflict(notes::key)
                .do_nothing()
                .returning(notes::id)
                .get_result(conn)
                .optional()?;
            Ok(added.map(NoteId::new))
        })
    }
}
