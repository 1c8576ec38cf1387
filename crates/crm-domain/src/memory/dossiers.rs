//! What is held about one person, in memory.

use super::state::State;
use super::unit::Unit;
use crate::dossiers::{Datum, DossierQueries, Record};
use crate::erasures::Subject;
use crate::imports::ImportedKind;
use crate::ports::store::StoreError;
use crate::tally::DataKind;
use crate::values::{EmailAddress, LineUserId, PhoneNumber};

type Numbered = (i64, Vec<(&'static str, Datum)>);

impl State {
    fn customer_record(&self, subject: &Subject) -> Option<Numbered> {
        let row = self.customers.get(subject.customer.get())?;
        let details = &row.customer.details;
        let record = vec![
            ("last_name", details.name.last().into()),
            ("first_name", details.name.first().into()),
            ("last_name_kana", details.reading.last().into()),
            ("first_name_kana", details.reading.first().into()),
            ("email", details.email.as_ref().map(EmailAddress::as_str).into()),
            ("phone", details.phone.as_ref().map(PhoneNumber::as_str).into()),
            (
                "line_user_id",
                details.line_user_id.as_ref().map(LineUserId::as_str).into(),
            ),
            ("remarks", details.remarks.as_str().into()),
        ];
        Some((subject.customer.get(), record))
    }

    fn message_records(&self, subject: &Subject) -> Vec<Numbered> {
        let rows = self.activities.iter();
        let theirs = rows.filter(|(_, row)| row.stored.customer_id == subject.customer);
        theirs
            .map(|(id, row)| {
                let stored = &row.stored;
                let record = vec![
                    ("timestamp", stored.timestamp.to_string().into()),
                    ("direction", stored.direction.code().into()),
                    ("kind", stored.kind.code().into()),
                    ("message", stored.message.as_str().into()),
                    ("detail", stored.detail.clone().into()),
                ];
                (id, record)
            })
            .collect()
    }

    fn shown(&self, subject: &Subject, part: impl Fn(&super::activities::ActivityRow) -> bool) -> bool {
        let mut rows = self.activities.iter().map(|(_, row)| row);
        rows.any(|row| row.stored.customer_id == subject.customer && part(row))
    }

    fn written_records(&self, subject: &Subject, kind: DataKind) -> Vec<Numbered> {
        let talks: Vec<_> = subject.talks.iter().map(|(id, _)| *id).collect();
        match kind {
            DataKind::Notes => {
                let theirs = self.notes.iter().filter(|(id, row)| {
                    row.stored.customer_id == Some(subject.customer)
                        || row.stored.conversation_id.is_some_and(|id| talks.contains(&id))
                        || self.shown(subject, |shown| {
                            shown.stored.note_id.is_some_and(|note| note.get() == *id)
                        })
                });
                let told = theirs.map(|(id, row)| (id, vec![("text", row.stored.text.as_str().into())]));
                told.collect()
            }
            DataKind::Drafts => {
                let theirs = self
                    .drafts
                    .iter()
                    .filter(|(_, row)| talks.contains(&row.conversation));
                let told = theirs.map(|(id, row)| (id, vec![("text", row.draft.text.as_str().into())]));
                told.collect()
            }
            _ => {
                let theirs = self.sends.iter().filter(|(_, row)| {
                    talks.contains(&row.send.conversation_id)
                        || self.shown(subject, |shown| shown.stored.send_id == Some(row.send.id))
                });
                let told = theirs.map(|(id, row)| (id, vec![("text", row.send.text.as_str().into())]));
                told.collect()
            }
        }
    }

    fn came_records(&self, subject: &Subject, kind: DataKind) -> Vec<Numbered> {
        let talks: Vec<_> = subject.talks.iter().map(|(id, _)| *id).collect();
        let is_theirs = |receipt| self.shown(subject, |row| row.stored.receipt_id == Some(receipt));
        if kind == DataKind::Files {
            let theirs = self.attachments.iter().filter(|(_, file)| {
                is_theirs(file.receipt_id) || file.conversation_id.is_some_and(|id| talks.contains(&id))
            });
            let told = theirs.map(|(id, file)| {
                let record = vec![
                    ("name", file.name.clone().into()),
                    ("media_type", file.media_type.clone().into()),
                    ("sha256", file.blob.map(|blob| blob.hash.to_string()).into()),
                ];
                (id, record)
            });
            return told.collect();
        }
        let theirs = self.receipts.iter().filter(|(id, row)| {
            let talk = row.outcome.as_ref().and_then(|outcome| outcome.conversation_id);
            is_theirs(crate::id::Id::new(*id)) || talk.is_some_and(|id| talks.contains(&id))
        });
        let told = theirs.map(|(id, row)| {
            let body = String::from_utf8_lossy(&row.kept.body).into_owned();
            (id, vec![("body", body.into())])
        });
        told.collect()
    }

    fn known_records(&self, subject: &Subject, kind: DataKind) -> Vec<Numbered> {
        match kind {
            DataKind::Senders => {
                let theirs = self
                    .senders
                    .iter()
                    .filter(|(_, row)| Some(&row.address) == subject.address.as_ref());
                let told = theirs.map(|(id, row)| {
                    let record = vec![
                        ("address", row.address.as_str().into()),
                        ("name", row.full_name().into()),
                        ("email", row.email.as_str().into()),
                    ];
                    (id, record)
                });
                told.collect()
            }
            DataKind::Conversations => {
                let theirs = self.conversations.iter().filter(|(_, talk)| {
                    talk.standing.customer_id == Some(subject.customer)
                        || subject.talks.iter().any(|(id, _)| *id == talk.id)
                });
                let told = theirs.map(|(id, talk)| {
                    let last = talk.standing.last.as_ref().map(|last| last.text.clone());
                    let record = vec![
                        ("address", talk.key.address.as_str().into()),
                        ("last_text", last.into()),
                    ];
                    (id, record)
                });
                told.collect()
            }
            _ => {
                let theirs = self.origins.iter().filter(|(_, row)| {
                    row.origin.kind == ImportedKind::Customer && row.became == subject.customer.get()
                });
                let told = theirs.map(|(id, row)| {
                    let record = vec![
                        ("source", row.source.as_str().into()),
                        ("foreign_id", row.origin.foreign_id.into()),
                    ];
                    (id, record)
                });
                told.collect()
            }
        }
    }

    fn records(&self, subject: &Subject, kind: DataKind) -> Vec<Numbered> {
        match kind {
            DataKind::Customers => self.customer_record(subject).into_iter().collect(),
            DataKind::Companies => {
                let row = self.customers.get(subject.customer.get());
                let company = row.and_then(|row| self.visible_company(row.customer.details.company_id?));
                let told = company.map(|company| {
                    let name = company.details.name.as_str().into();
                    (company.id.get(), vec![("name", name)])
                });
                told.into_iter().collect()
            }
            DataKind::Activities => self.message_records(subject),
            DataKind::Notes | DataKind::Drafts | DataKind::Sends => self.written_records(subject, kind),
            DataKind::Bodies | DataKind::Files => self.came_records(subject, kind),
            DataKind::Senders | DataKind::Conversations | DataKind::Origins => {
                self.known_records(subject, kind)
            }
            DataKind::Contents
            | DataKind::HeldCallbacks
            | DataKind::AuditValues
            | DataKind::AuditEntries
            | DataKind::Readings => Vec::new(),
        }
    }
}

impl DossierQueries for Unit {
    fn records_about(
        &mut self,
        subject: &Subject,
        kind: DataKind,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        self.look(|state| {
            let records = state.records(subject, kind).into_iter();
            let rest = records.filter(|(id, _)| *id > after).take(limit);
            rest.map(|(id, mut values)| {
                values.insert(0, ("id", id.into()));
                Record(values)
            })
            .collect()
        })
    }
}
