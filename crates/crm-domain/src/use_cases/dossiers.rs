//! Giving out everything that is held about one person.

use super::Crm;
use crate::audit::{Act, AuditFilter, Deed};
use crate::customers::CustomerId;
use crate::dossiers::{Datum, Dossier, Record};
use crate::erasures::Subject;
use crate::error::Error;
use crate::permissions::{Action, Actor};
use crate::ports::blobs::BlobHash;
use crate::ports::store::{ReadUnit, StoreError, StoreExt};
use crate::tally::DataKind;

/// The bytes of a stored file.
type Content = Box<dyn std::io::Read + Send>;

/// How many records a reading gathers.
const AT_ONCE: usize = 500;

impl Crm {
    /// Everything held about a customer, in the trash or not: for the person who asks for it. Stands in the audit log.
    pub async fn export_customer(&self, actor: &Actor, id: CustomerId) -> Result<Dossier, Error> {
        let noted = self.act(actor, Action::ManagePrivacy, move |uow, _| {
            let subject = uow.erasures().subject(id)?.ok_or(Error::NotFound("customer"))?;
            Ok(Deed::on(Act::CustomerExported, id).gives(subject))
        });
        let subject = noted.await?;
        let mut dossier = Dossier::default();
        for kind in DataKind::ALL {
            let records = match kind {
                DataKind::HeldCallbacks => self.held_about(&subject).await?,
                DataKind::AuditValues => self.changes_of(id).await?,
                _ => self.gathered(&subject, kind).await?,
            };
            if !records.is_empty() {
                dossier.0.push((kind, records));
            }
        }
        Ok(dossier)
    }

    /// A stored content that a dossier names; blocks on the disk.
    pub fn stored_content(&self, actor: &Actor, hash: &BlobHash) -> Result<Option<Content>, Error> {
        self.may(actor, Action::ManagePrivacy)?;
        let opened = self.ports.blobs.open(hash);
        opened.map_err(|error| Error::Store(StoreError::unavailable(error)))
    }

    async fn gathered(&self, subject: &Subject, kind: DataKind) -> Result<Vec<Record>, Error> {
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let subject = subject.clone();
            let read = move |unit: &mut dyn ReadUnit| {
                Ok::<_, Error>(unit.dossiers().records_about(&subject, kind, after, AT_ONCE)?)
            };
            let part = self.ports.store.read(read).await?;
            let last = part.last().map(number);
            let ends = part.len() < AT_ONCE;
            all.extend(part);
            match last {
                Some(last) if !ends && last > after => after = last,
                _ => return Ok(all),
            }
        }
    }

    async fn held_about(&self, subject: &Subject) -> Result<Vec<Record>, Error> {
        let Some(address) = &subject.address else {
            return Ok(Vec::new());
        };
        let Ok(held) = self.ports.quarantine.held(self.now()).await else {
            return Ok(Vec::new());
        };
        let told = held.into_iter().filter_map(|(_, held)| {
            let body = String::from_utf8_lossy(&held.body).into_owned();
            body.contains(address.as_str()).then(|| {
                Record(vec![
                    ("received_at", held.at.to_string().into()),
                    ("reason", held.reason.code().into()),
                    ("body", body.into()),
                ])
            })
        });
        Ok(told.collect())
    }

    /// What the audit log keeps of changes to the person's record.
    async fn changes_of(&self, id: CustomerId) -> Result<Vec<Record>, Error> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let filter = AuditFilter {
                customer_id: Some(id),
                ..AuditFilter::default()
            };
            let read = move |unit: &mut dyn ReadUnit| {
                let page = unit.audit().audit_page(&filter, after, AT_ONCE)?;
                let mut told = Vec::new();
                for entry in &page {
                    let values = unit.audit().audit_values(entry.id)?;
                    let changes = values.map(|values| values.changes).unwrap_or_default();
                    let line = (
                        entry.id.get(),
                        entry.at.to_string(),
                        entry.act.clone(),
                        entry.by.name.clone(),
                    );
                    told.push((line, changes));
                }
                Ok::<_, Error>((told, page.last().map(crate::audit::AuditEntry::place)))
            };
            let (told, last) = self.ports.store.read(read).await?;
            let ends = told.len() < AT_ONCE;
            for ((id, at, act, by), changes) in told {
                all.push(Record(vec![
                    ("id", id.into()),
                    ("at", at.clone().into()),
                    ("act", act.clone().into()),
                    ("by", by.clone().into()),
                ]));
                all.extend(changes.into_iter().map(|change| {
                    Record(vec![
                        ("id", id.into()),
                        ("field", change.field.into()),
                        ("old", change.old.into()),
                        ("new", change.new.into()),
                    ])
                }));
            }
            if ends {
                return Ok(all);
            }
            after = last;
        }
    }
}

/// The number by which the next records are asked for.
fn number(record: &Record) -> i64 {
    match record.0.first() {
        Some(("id", Datum::Number(id))) => *id,
        _ => 0,
    }
}
