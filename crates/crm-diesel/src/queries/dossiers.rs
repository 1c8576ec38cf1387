//! What is held about one person, table by table.

use crm_domain::conversations::ConversationId;
use crm_domain::dossiers::{DossierQueries, Record};
use crm_domain::erasures::Subject;
use crm_domain::imports::ImportedKind;
use crm_domain::ports::store::StoreError;
use crm_domain::receipts::ReceiptState;
use crm_domain::tally::DataKind;
use crm_domain::values::LineUserId;
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::{Conn, Uow};
use crate::fault::Fault;
use crate::found::rows;
use crate::schema::{
    activities, attachments, companies, conversations, customers, drafts, import_origins, members, notes,
    receipts, senders, sends,
};
use crate::stamp::Stamp;

/// A row that can be told as names and values.
trait Told {
    fn record(self) -> Record;
}

/// A row's columns under their own names.
macro_rules! told {
    ($name:ident of $table:ident { $($column:ident: $type:ty),* $(,)? }) => {
        #[derive(Queryable, Selectable)]
        #[diesel(table_name = $table)]
        struct $name { $($column: $type,)* }

        impl Told for $name {
            fn record(self) -> Record {
                Record(vec![$((stringify!($column), self.$column.into()),)*])
            }
        }
    };
}

told!(CustomerRow of customers {
    id: i64, last_name: String, first_name: String, last_name_kana: String, first_name_kana: String,
    email: Option<String>, phone: Option<String>, line_user_id: Option<String>, company_id: Option<i64>,
    remarks: String, owner_id: Option<i64>, team_id: Option<i64>, registered_from: Option<String>,
    needs_look: bool, created_at: Stamp, updated_at: Stamp, deleted_at: Option<Stamp>,
    deleted_by: Option<String>,
});

told!(CompanyRow of companies { id: i64, name: String });

told!(ActivityRow of activities {
    id: i64, timestamp: Stamp, direction: String, kind: String, message: String, detail: Option<String>,
    conversation_id: Option<i64>, deleted_at: Option<Stamp>,
});

told!(NoteRow of notes { id: i64, written_at: Stamp, author_name: String, text: String });

told!(SendRow of sends {
    id: i64, conversation_id: i64, queued_at: Stamp, finished_at: Option<Stamp>, author_name: String,
    state: String, text: String,
});

told!(FileRow of attachments {
    id: i64, conversation_id: Option<i64>, kind: String, name: Option<String>, media_type: Option<String>,
    size: Option<i64>, sha256: Option<String>, state: String, added_at: Stamp,
});

told!(SenderRow of senders {
    id: i64, address: String, last_name: String, first_name: String, last_name_kana: String,
    first_name_kana: String, email: String, fetched_at: Option<Stamp>, created_at: Stamp,
});

told!(TalkRow of conversations {
    id: i64, bot: String, address: String, kind: String, link: String, created_at: Stamp,
    waiting_since: Option<Stamp>, last_at: Option<Stamp>, last_text: String,
});

told!(OriginRow of import_origins { id: i64, source: String, kind: String, foreign_id: i64 });

/// The code stands in the text: a partial index is not used for a bound value.
fn unclaimed() -> SqlLiteral<Bool> {
    sql(&format!("state = '{}'", ReceiptState::Unclaimed.code()))
}

fn records<R: Told>(found: Vec<R>) -> Vec<Record> {
    found.into_iter().map(Told::record).collect()
}

/// Whom, from where on and how many.
struct Request<'a> {
    customer: i64,
    address: Option<&'a str>,
    talks: Vec<i64>,
    after: i64,
    limit: i64,
}

/// The callbacks of this person: those on the page, and those that wait in the conversations.
fn callbacks(conn: &mut Conn, request: &Request<'_>) -> Result<Vec<i64>, Fault> {
    let shown: Vec<Option<i64>> = activities::table
        .filter(activities::customer_id.eq(request.customer))
        .filter(activities::receipt_id.gt(request.after))
        .order_by(activities::receipt_id)
        .limit(request.limit)
        .select(activities::receipt_id)
        .load(conn)?;
    let waiting: Vec<i64> = receipts::table
        .filter(receipts::conversation_id.eq_any(&request.talks))
        .filter(unclaimed())
        .filter(receipts::id.gt(request.after))
        .order_by(receipts::id)
        .limit(request.limit)
        .select(receipts::id)
        .load(conn)?;
    let mut ids: Vec<i64> = shown.into_iter().flatten().chain(waiting).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.truncate(usize::try_from(request.limit).unwrap_or(usize::MAX));
    Ok(ids)
}

fn bodies(conn: &mut Conn, request: &Request<'_>) -> Result<Vec<Record>, Fault> {
    let ids = callbacks(conn, request)?;
    let found: Vec<(i64, Stamp, String, Vec<u8>)> = receipts::table
        .filter(receipts::id.eq_any(ids))
        .order_by(receipts::id)
        .select((
            receipts::id,
            receipts::received_at,
            receipts::state,
            receipts::body,
        ))
        .load(conn)?;
    let told = found.into_iter().map(|(id, at, state, body)| {
        Record(vec![
            ("id", id.into()),
            ("received_at", at.into()),
            ("state", state.into()),
            ("body", String::from_utf8_lossy(&body).into_owned().into()),
        ])
    });
    Ok(told.collect())
}

fn files(conn: &mut Conn, request: &Request<'_>) -> Result<Vec<Record>, Fault> {
    let shown = activities::table
        .filter(activities::customer_id.eq(request.customer))
        .filter(activities::receipt_id.is_not_null())
        .select(activities::receipt_id.assume_not_null());
    let found: Vec<FileRow> = attachments::table
        .filter(
            attachments::receipt_id
                .eq_any(shown)
                .or(attachments::conversation_id.eq_any(request.talks.clone())),
        )
        .filter(attachments::id.gt(request.after))
        .order_by(attachments::id)
        .limit(request.limit)
        .select(FileRow::as_select())
        .load(conn)?;
    Ok(records(found))
}

fn of_drafts(conn: &mut Conn, request: &Request<'_>) -> Result<Vec<Record>, Fault> {
    let found: Vec<(i64, String, String, Stamp)> = drafts::table
        .inner_join(members::table.on(members::id.eq(drafts::member_id)))
        .filter(drafts::conversation_id.eq_any(&request.talks))
        .filter(drafts::id.gt(request.after))
        .order_by(drafts::id)
        .limit(request.limit)
        .select((drafts::id, members::name, drafts::text, drafts::updated_at))
        .load(conn)?;
    let told = found.into_iter().map(|(id, name, text, at)| {
        Record(vec![
            ("id", id.into()),
            ("author_name", name.into()),
            ("text", text.into()),
            ("updated_at", at.into()),
        ])
    });
    Ok(told.collect())
}

fn of_notes(conn: &mut Conn, request: &Request<'_>) -> Result<Vec<Record>, Fault> {
    let shown = activities::table
        .filter(activities::customer_id.eq(request.customer))
        .filter(activities::note_id.is_not_null())
        .select(activities::note_id.assume_not_null());
    let found: Vec<NoteRow> = notes::table
        .filter(
            notes::customer_id
                .eq(request.customer)
                .or(notes::conversation_id.eq_any(request.talks.clone()))
                .or(notes::id.eq_any(shown)),
        )
        .filter(notes::id.gt(request.after))
        .order_by(notes::id)
        .limit(request.limit)
        .select(NoteRow::as_select())
        .load(conn)?;
    Ok(records(found))
}

fn of_sends(conn: &mut Conn, request: &Request<'_>) -> Result<Vec<Record>, Fault> {
    let shown = activities::table
        .filter(activities::customer_id.eq(request.customer))
        .filter(activities::send_id.is_not_null())
        .select(activities::send_id.assume_not_null());
    let found: Vec<SendRow> = sends::table
        .filter(
            sends::id
                .eq_any(shown)
                .or(sends::conversation_id.eq_any(request.talks.clone())),
        )
        .filter(sends::id.gt(request.after))
        .order_by(sends::id)
        .limit(request.limit)
        .select(SendRow::as_select())
        .load(conn)?;
    Ok(records(found))
}

/// The customer's own record, the messages on the page and where both were imported from.
fn of_customer(conn: &mut Conn, kind: DataKind, request: &Request<'_>) -> Result<Vec<Record>, Fault> {
    let id = request.customer;
    match kind {
        DataKind::Customers => {
            let row = customers::table.find(id).filter(customers::id.gt(request.after));
            Ok(records::<CustomerRow>(
                row.select(CustomerRow::as_select()).load(conn)?,
            ))
        }
        DataKind::Companies => {
            let theirs = customers::table
                .find(id)
                .filter(customers::company_id.is_not_null());
            let row = companies::table
                .filter(companies::id.eq_any(theirs.select(customers::company_id.assume_not_null())))
                .filter(companies::id.gt(request.after));
            Ok(records::<CompanyRow>(
                row.select(CompanyRow::as_select()).load(conn)?,
            ))
        }
        DataKind::Activities => {
            let found = activities::table
                .filter(activities::customer_id.eq(id))
                .filter(activities::id.gt(request.after))
                .order_by(activities::id)
                .limit(request.limit);
            Ok(records::<ActivityRow>(
                found.select(ActivityRow::as_select()).load(conn)?,
            ))
        }
        _ => {
            let found = import_origins::table
                .filter(import_origins::kind.eq(ImportedKind::Customer.code()))
                .filter(import_origins::local_id.eq(id))
                .filter(import_origins::id.gt(request.after))
                .order_by(import_origins::id);
            Ok(records::<OriginRow>(
                found.select(OriginRow::as_select()).load(conn)?,
            ))
        }
    }
}

fn of_person(conn: &mut Conn, kind: DataKind, request: &Request<'_>) -> Result<Vec<Record>, Fault> {
    if kind == DataKind::Senders {
        let found = senders::table
            .filter(senders::address.eq_any(request.address))
            .filter(senders::id.gt(request.after));
        return Ok(records::<SenderRow>(
            found.select(SenderRow::as_select()).load(conn)?,
        ));
    }
    let found = conversations::table
        .filter(
            conversations::customer_id
                .eq(request.customer)
                .or(conversations::id.eq_any(&request.talks)),
        )
        .filter(conversations::id.gt(request.after))
        .order_by(conversations::id)
        .limit(request.limit);
    Ok(records::<TalkRow>(found.select(TalkRow::as_select()).load(conn)?))
}

impl DossierQueries for Uow<'_> {
    fn records_about(
        &mut self,
        subject: &Subject,
        kind: DataKind,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        let request = Request {
            customer: subject.customer.get(),
            address: subject.address.as_ref().map(LineUserId::as_str),
            talks: subject
                .talks
                .iter()
                .map(|(id, _)| ConversationId::get(*id))
                .collect(),
            after,
            limit: rows(limit),
        };
        self.run(|conn| match kind {
            DataKind::Customers | DataKind::Companies | DataKind::Activities | DataKind::Origins => {
                of_customer(conn, kind, &request)
            }
            DataKind::Senders | DataKind::Conversations => of_person(conn, kind, &request),
            DataKind::Notes => of_notes(conn, &request),
            DataKind::Drafts => of_drafts(conn, &request),
            DataKind::Sends => of_sends(conn, &request),
            DataKind::Bodies => bodies(conn, &request),
            DataKind::Files => files(conn, &request),
            DataKind::Contents
            | DataKind::HeldCallbacks
            | DataKind::AuditValues
            | DataKind::AuditEntries
            | DataKind::Readings => Ok(Vec::new()),
        })
    }
}
