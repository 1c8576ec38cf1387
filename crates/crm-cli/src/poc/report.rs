//! What an import did.

use std::collections::BTreeMap;

use serde::Serialize;

use super::differ::Differing;
use crate::output::{Row, View};

/// Rows of each kind, and what had to be mended.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) companies: Count,
    pub(crate) customers: Count,
    pub(crate) activities: Count,
    /// Rows taken before that are not the same here; they were left as they are.
    pub(crate) differing: Vec<Differing>,
    /// How often each reason occurred among the rows that were read.
    pub(crate) mended: BTreeMap<&'static str, u64>,
}

/// Rows of one kind.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Count {
    /// New here.
    pub(crate) created: u64,
    /// Taken before, and the same.
    pub(crate) unchanged: u64,
    /// Taken before, and not the same here; left as they are.
    pub(crate) differing: u64,
}

impl Count {
    pub(super) fn add(&mut self, created: usize, differing: usize, all: usize) {
        self.created += created as u64;
        self.differing += differing as u64;
        self.unchanged += all.saturating_sub(created + differing) as u64;
    }
}

#[derive(Serialize)]
pub(crate) struct ReportRow {
    kind: &'static str,
    #[serde(flatten)]
    count: Count,
}

impl Row for ReportRow {
    const COLUMNS: &'static [&'static str] = &["import_kind", "created", "unchanged", "differing"];

    fn cells(&self, view: &View<'_>) -> Vec<String> {
        vec![
            view.texts.text(&format!("noun.{}", self.kind)),
            self.count.created.to_string(),
            self.count.unchanged.to_string(),
            self.count.differing.to_string(),
        ]
    }
}

impl Report {
    pub(crate) fn rows(&self) -> Vec<ReportRow> {
        [
            ("company", self.companies),
            ("customer", self.customers),
            ("activity", self.activities),
        ]
        .into_iter()
        .map(|(kind, count)| ReportRow { kind, count })
        .collect()
    }
}
