//! Entries of the audit log as they are written.

use crm_domain::audit::Act;
use crm_domain::instant::Instant;
use crm_domain::use_cases::AuditDetail;
use serde::Serialize;

use crate::output::{Row, View};
use crate::rows::shown;

#[derive(Debug, Serialize)]
pub(crate) struct AuditRow {
    id: i64,
    at: Instant,
    actor_kind: String,
    actor: String,
    member_id: Option<i64>,
    token_id: Option<i64>,
    address: Option<String>,
    request_id: Option<String>,
    action: String,
    record_kind: Option<String>,
    record_id: Option<i64>,
    customer_id: Option<i64>,
    reason: Option<String>,
    fields: Vec<String>,
    /// Whether the values were emptied by erasure or retention.
    emptied: bool,
    changes: Vec<ChangeRow>,
}

#[derive(Debug, Serialize)]
struct ChangeRow {
    field: String,
    old: Option<String>,
    new: Option<String>,
    masked: bool,
}

impl AuditRow {
    pub(crate) fn new(detail: &AuditDetail) -> Self {
        let entry = &detail.entry;
        let changes = detail.changes.iter().flatten();
        Self {
            id: entry.id.get(),
            at: entry.at,
            actor_kind: entry.by.kind.clone(),
            actor: entry.by.name.clone(),
            member_id: entry.by.member_id.map(crm_domain::id::Id::get),
            token_id: entry.by.token_id.map(crm_domain::id::Id::get),
            address: entry.address.clone(),
            request_id: entry.request_id.clone(),
            action: entry.act.clone(),
            record_kind: entry.record.as_ref().map(|(kind, _)| kind.clone()),
            record_id: entry.record.as_ref().map(|(_, id)| *id),
            customer_id: entry.customer_id.map(crm_domain::id::Id::get),
            reason: entry.reason.clone(),
            fields: entry.fields.clone(),
            emptied: detail.changes.is_none(),
            changes: changes
                .map(|change| ChangeRow {
                    field: change.field.clone(),
                    old: change.old.clone(),
                    new: change.new.clone(),
                    masked: change.masked,
                })
                .collect(),
        }
    }

    fn what(&self, view: &View<'_>) -> String {
        match Act::from_code(&self.action) {
            Some(act) => view.texts.text(&format!("act.{}", act.code())),
            None => self.action.clone(),
        }
    }
}

impl Row for AuditRow {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "timestamp",
        "actor",
        "ip_address",
        "act",
        "record",
        "fields",
    ];

    fn cells(&self, view: &View<'_>) -> Vec<String> {
        let actor = if self.actor.is_empty() {
            view.texts.text(&format!("actor.{}", self.actor_kind))
        } else {
            self.actor.clone()
        };
        let record = self.record_kind.as_deref().zip(self.record_id);
        vec![
            self.id.to_string(),
            shown(self.at, view),
            actor,
            self.address.clone().unwrap_or_default(),
            self.what(view),
            record
                .map(|(kind, id)| format!("{kind}:{id}"))
                .unwrap_or_default(),
            self.fields.join(" "),
        ]
    }
}

#[cfg(test)]
mod tests {
    use crm_domain::audit::{Act, By};
    use crm_domain::members::Locale;

    use crate::texts::Texts;

    #[test]
    fn every_act_and_actor_has_its_words() {
        let texts = Texts::of(Locale::Ja);
        let acts = Act::ALL.iter().map(|act| format!("act.{}", act.code()));
        for key in acts.chain(By::KINDS.iter().map(|kind| format!("actor.{kind}"))) {
            assert!(texts.find(&key).is_some(), "{key}");
        }
    }
}
