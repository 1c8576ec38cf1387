//! Customers from a CSV file.

use super::lookup::{company_of, customer_like, id};
use super::report::{Became, Refusal, TableReport};
use super::sheet::{Record, Sheet};
use crate::context::Desk;
use crate::failure::Failure;
use crate::fields::CustomerText;

pub(super) async fn import(desk: &Desk, sheet: &Sheet) -> Result<TableReport, Failure> {
    let mut report = TableReport::default();
    for record in &sheet.records {
        let outcome = take(desk, record).await;
        let taken = matches!(outcome, Ok(Became::Created | Became::Updated));
        if taken && record.get("line_user_id").is_some_and(|id| id.contains('@')) {
            report.login_ids.push(record.line);
        }
        report.note(record.line, outcome)?;
    }
    Ok(report)
}

async fn take(desk: &Desk, record: &Record) -> Result<Became, Refusal> {
    let crm = &desk.parts.crm;
    let names_company = record.get("company_id").is_some() || record.get("company_name").is_some();
    let company = company_of(desk, record).await?;
    let mut fresh = put(record, CustomerText::default());
    fresh.company_id = company;
    // In a line with an id only what changes need stand.
    let stored = match id(record, "id")? {
        Some(id) => Some(crm.show_customer(&desk.actor, id).await?),
        None => customer_like(desk, &fresh.check()?).await?,
    };
    let Some(stored) = stored.map(|line| line.customer) else {
        crm.import_customer(&desk.actor, fresh.check()?).await?;
        return Ok(Became::Created);
    };
    let mut text = put(record, CustomerText::of(&stored.details));
    if names_company {
        text.company_id = company;
    }
    let details = text.check()?;
    if details == stored.details {
        return Ok(Became::Unchanged);
    }
    crm.import_customer_again(&desk.actor, stored.id, Some(stored.version), details)
        .await?;
    Ok(Became::Updated)
}

/// The fields that the file has replace those that are stored.
fn put(record: &Record, mut text: CustomerText) -> CustomerText {
    let fields = [
        (&mut text.last_name, "last_name"),
        (&mut text.first_name, "first_name"),
        (&mut text.last_name_kana, "last_name_kana"),
        (&mut text.first_name_kana, "first_name_kana"),
        (&mut text.email, "email"),
        (&mut text.phone, "phone"),
        (&mut text.line_user_id, "line_user_id"),
        (&mut text.remarks, "remarks"),
    ];
    for (field, name) in fields {
        if let Some(given) = record.get(name) {
            given.clone_into(field);
        }
    }
    text
}
