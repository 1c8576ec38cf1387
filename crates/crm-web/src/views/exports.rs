//! Contexts of taking whole lists out.

use serde::Serialize;

use crate::forms::FormState;
use crate::page::Page;

/// Names of the fields: why.
pub const EXPORT_FIELDS: [&str; 1] = ["reason"];

/// `GET /customers/export`, `GET /companies/export`: asks why.
#[derive(Debug, Clone, Serialize)]
pub struct ExportPage {
    /// `customers` or `companies`.
    pub list: &'static str,
    /// Where the form posts.
    pub action: &'static str,
    /// Back to the list.
    pub back: &'static str,
    /// `reason`.
    pub form: FormState,
}

impl Page for ExportPage {
    const TEMPLATE: &'static str = "export.html";

    fn samples() -> Vec<ExportPage> {
        let customers = ExportPage {
            list: "customers",
            action: "/customers/export",
            back: "/customers",
            form: FormState::of(&EXPORT_FIELDS),
        };
        let mut refused = ExportPage {
            list: "companies",
            action: "/companies/export",
            back: "/companies",
            ..customers.clone()
        };
        let missing = crm_domain::error::Error::field("reason", crm_domain::values::Problem::Required);
        refused.form.refuse_with(&missing);
        vec![customers, refused]
    }
}
