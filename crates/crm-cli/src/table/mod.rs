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

/// Takes every record in, or only says what would become of it.
pub(crate) async fn import(desk: &Desk, sheet: &Sheet, dry_run: bool) -> Result<TableReport, Failure> {
    match sheet.kind {
        Kind::Companies => companies::import(desk, sheet, dry_run).await,
        Kind::Customers => customers::import(desk, sheet, dry_run).await,
        Kind::Activities => activities::import(desk, sheet, dry_run).await,
    }
}
