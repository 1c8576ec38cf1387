//! Contexts of the pages of administration.

use serde::Serialize;

use super::backups::BackupSummary;
use crate::page::Page;

/// `GET /admin`: what there is to administer.
#[derive(Debug, Clone, Serialize)]
pub struct AdminPage {
    /// How things stand with backups; `None` when that cannot be told now.
    pub backup: Option<BackupSummary>,
}

impl Page for AdminPage {
    const TEMPLATE: &'static str = "admin.html";

    fn samples() -> Vec<AdminPage> {
        let backup = Some(BackupSummary::sample());
        vec![AdminPage { backup }, AdminPage { backup: None }]
    }
}
