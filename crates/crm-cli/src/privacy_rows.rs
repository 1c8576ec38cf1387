//! What lies in the trash, and how long things are kept, as they are written.

use crm_domain::instant::Instant;
use crm_domain::retention::Hold;
use crm_domain::trash::Trashed;
use crm_domain::use_cases::RulePreview;
use serde::Serialize;

use crate::output::{Row, View};
use crate::rows::shown;

#[derive(Debug, Serialize)]
pub(crate) struct TrashRow {
    kind: &'static str,
    id: i64,
    name: String,
    deleted_at: Instant,
    deleted_by: Option<String>,
    gone_at: Instant,
    held: bool,
}

impl TrashRow {
    pub(crate) fn new(item: &Trashed, held: bool) -> Self {
        Self {
            kind: item.key.code(),
            id: item.key.number(),
            name: item.name.clone(),
            deleted_at: item.deleted_at,
            deleted_by: item.deleted_by.clone(),
            gone_at: item.gone_at(),
            held,
        }
    }
}

impl Row for TrashRow {
    const COLUMNS: &'static [&'static str] = &["kind", "id", "name", "deleted_at", "deleted_by", "gone_at"];

    fn cells(&self, view: &View<'_>) -> Vec<String> {
        vec![
            view.texts.text(&format!("noun.{}", self.kind)),
            self.id.to_string(),
            self.name.clone(),
            shown(self.deleted_at, view),
            self.deleted_by.clone().unwrap_or_default(),
            if self.held {
                view.texts.text("trash.held")
            } else {
                shown(self.gone_at, view)
            },
        ]
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct RuleRow {
    kind: &'static str,
    months: Option<u32>,
    count: u64,
    held: u64,
    oldest: Option<Instant>,
}

impl RuleRow {
    pub(crate) fn new(line: &RulePreview) -> Self {
        Self {
            kind: line.rule.kind.code(),
            months: line.rule.months,
            count: line.foreseen.count,
            held: line.foreseen.held,
            oldest: line.foreseen.oldest,
        }
    }
}

impl Row for RuleRow {
    const COLUMNS: &'static [&'static str] = &["kind", "months", "count", "held", "oldest"];

    fn cells(&self, view: &View<'_>) -> Vec<String> {
        let months = self.months.map(|months| months.to_string());
        vec![
            self.kind.to_owned(),
            months.unwrap_or_else(|| view.texts.text("retention.for_ever")),
            self.count.to_string(),
            self.held.to_string(),
            self.oldest.map(|at| shown(at, view)).unwrap_or_default(),
        ]
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct HoldRow {
    id: i64,
    customer_id: Option<i64>,
    name: Option<String>,
    reason: String,
    placed_at: Instant,
    placed_by: String,
}

impl HoldRow {
    pub(crate) fn new(hold: &Hold) -> Self {
        Self {
            id: hold.id.get(),
            customer_id: hold.customer_id.map(crm_domain::customers::CustomerId::get),
            name: hold.customer_name.clone(),
            reason: hold.reason.clone(),
            placed_at: hold.placed_at,
            placed_by: hold.placed_by.clone(),
        }
    }
}

impl Row for HoldRow {
    const COLUMNS: &'static [&'static str] =
        &["id", "customer_id", "name", "reason", "placed_at", "placed_by"];

    fn cells(&self, view: &View<'_>) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.customer_id.map(|id| id.to_string()).unwrap_or_default(),
            self.name.clone().unwrap_or_default(),
            self.reason.clone(),
            shown(self.placed_at, view),
            self.placed_by.clone(),
        ]
    }
}
