//! What an import did.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::output::{Row, View};

/// Rows of each kind, and what had to be mended.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) companies: Count,
    pub(crate) customers: Count,
    pub(crate) activities: Count,
    /// How often each reason occurred among the rows that were read.
    pub(crate) mended: BTreeMap<&'static str, u64>,
}

/// Rows of one kind.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Count {
    /// New here.
    pub(crate) created: u64,
    /// Taken before.
    pub(crate) unchanged: u64,
}

impl Count {
    pub(super) fn add(&mut self, created: usize, all: usize) {
        self.created += created as u64;
        self.unchanged += (all - created.min(all)) as u64;
    }
}

#[derive(Serialize)]
pub(crate) struct ReportRow {
    kind: &'static str,
    #[serde(flatten)]
    count: Count,
}

impl Row for ReportRow {
    const COLUMNS: &'static [&'static str] = &["import_kind", "created", "unchanged"];

    fn cells(&self, view: &View<'_>) -> Vec<String> {
        vec![
            view.texts.text(&format!("noun.{}", self.kind)),
            self.count.created.to_string(),
            self.count.unchanged.to_string(),
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
