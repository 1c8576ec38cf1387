//! Companies from a CSV file.

use super::lookup::{company_named, id};
use super::report::{Became, Refusal, TableReport};
use super::sheet::{Record, Sheet};
use crate::context::Desk;
use crate::failure::Failure;
use crate::fields::CompanyText;

pub(super) async fn import(desk: &Desk, sheet: &Sheet) -> Result<TableReport, Failure> {
    let mut report = TableReport::default();
    for record in &sheet.records {
        let outcome = take(desk, record).await;
        report.note(record.line, outcome)?;
    }
    Ok(report)
}

async fn take(desk: &Desk, record: &Record) -> Result<Became, Refusal> {
    let crm = &desk.parts.crm;
    let stored = match id(record, "id")? {
        Some(id) => Some(crm.show_company(&desk.actor, id).await?),
        None => company_named(desk, &put(record, CompanyText::default()).check()?).await?,
    };
    let Some(stored) = stored else {
        let details = put(record, CompanyText::default()).check()?;
        crm.register_company(&desk.actor, details).await?;
        return Ok(Became::Created);
    };
    let details = put(record, CompanyText::of(&stored.details)).check()?;
    if details == stored.details {
        return Ok(Became::Unchanged);
    }
    crm.revise_company(&desk.actor, stored.id, Some(stored.version), details)
        .await?;
    Ok(Became::Updated)
}

/// The fields that the file has replace those that are stored.
fn put(record: &Record, mut text: CompanyText) -> CompanyText {
    let fields = [
        (&mut text.name, "name"),
        (&mut text.name_kana, "name_kana"),
        (&mut text.address, "address"),
        (&mut text.phone, "phone"),
        (&mut text.website, "website"),
        (&mut text.remarks, "remarks"),
    ];
    for (field, name) in fields {
        if let Some(given) = record.get(name) {
            given.clone_into(field);
        }
    }
    text
}
