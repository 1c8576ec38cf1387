//! Contexts of the pages of administration.

use serde::Serialize;

use crate::page::Page;

/// `GET /admin`: what there is to administer.
#[derive(Debug, Clone, Serialize)]
pub struct AdminPage {}

impl Page for AdminPage {
    const TEMPLATE: &'static str = "admin.html";

    fn samples() -> Vec<AdminPage> {
        vec![AdminPage {}]
    }
}
