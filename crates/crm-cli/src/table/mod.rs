//! CSV files: one line a record, the first line names the fields. Safe to repeat: a record that is there already, by id
//! or by what tells it apart, is brought up to date or left as it is.

mod activities;
mod companies;
mod customers;
mod lookup;
mod report;
mod sheet;

pub(crate) use report::TableReport;
pub(crate) use sheet::{Kind, Sheet};

use crate::context::Desk;
use crate::failure::Failure;

/// Takes every record in. For a dry run that happens on a copy of the store, so that it says what would become of them.
pub(crate) async fn import(desk: &Desk, sheet: &Sheet, dry_run: bool) -> Result<TableReport, Failure> {
    if !dry_run {
        return take(desk, sheet).await;
    }
    let (parts, _guard) = desk.parts.rehearsal().await?;
    let copy = Desk {
        parts,
        actor: desk.actor.clone(),
    };
    let report = take(&copy, sheet).await;
    drop(copy);
    report
}

async fn take(desk: &Desk, sheet: &Sheet) -> Result<TableReport, Failure> {
    match sheet.kind {
        Kind::Companies => companies::import(desk, sheet).await,
        Kind::Customers => customers::import(desk, sheet).await,
        Kind::Activities => activities::import(desk, sheet).await,
    }
}
