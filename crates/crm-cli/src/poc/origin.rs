//! By what a row of the old system is known again.

use crm_domain::imports::{ImportedKind, Origin};
use crm_domain::ports::host::Secrets;

use super::source::{PocActivity, PocCompany, PocCustomer};

/// Name of the old system in the table of imports.
pub(super) const SOURCE: &str = "poc";

/// What tells another file's company of the same number apart: its name.
pub(super) fn of_company(secrets: &dyn Secrets, row: &PocCompany) -> Origin {
    origin(secrets, ImportedKind::Company, row.id, &[row.name.trim()])
}

/// A customer may have been edited between two imports: known again by the user id, or else by the name.
pub(super) fn of_customer(secrets: &dyn Secrets, row: &PocCustomer) -> Origin {
    match row.line_user_id.trim() {
        "" => of_customer_name(secrets, row),
        user => origin(secrets, ImportedKind::Customer, row.id, &["user", user]),
    }
}

/// By the name alone: how a customer was taken who had no user id then.
pub(super) fn of_customer_name(secrets: &dyn Secrets, row: &PocCustomer) -> Origin {
    let parts = ["name", row.last_name.trim(), row.first_name.trim()];
    origin(secrets, ImportedKind::Customer, row.id, &parts)
}

/// A customer of whom there are messages only.
pub(super) fn of_missing(secrets: &dyn Secrets, id: i64) -> Origin {
    origin(secrets, ImportedKind::Customer, id, &["missing"])
}

pub(super) fn of_activity(secrets: &dyn Secrets, row: &PocActivity) -> Origin {
    let customer = row.customer_id.to_string();
    let parts = [customer.as_str(), row.timestamp.as_str(), row.message.as_str()];
    origin(secrets, ImportedKind::Activity, row.id, &parts)
}

fn origin(secrets: &dyn Secrets, kind: ImportedKind, foreign_id: i64, parts: &[&str]) -> Origin {
    // The lengths keep ("ab", "c") and ("a", "bc") apart.
    let mut text = kind.code().to_owned();
    for part in parts {
        text.extend(["\n", &part.len().to_string(), ":", part]);
    }
    let hash = secrets.hash(text.as_bytes());
    let mut digest = [0; 16];
    digest.copy_from_slice(&hash[..16]);
    Origin {
        kind,
        foreign_id,
        digest,
    }
}
