//! The audit log as a file: what was searched for, page by page.

use std::sync::Arc;

use crm_domain::audit::{Act, AuditFilter, AuditPlace, RecordKind};
use crm_domain::error::Error;
use crm_domain::permissions::Actor;
use crm_domain::use_cases::{AuditDetail, Crm};
use poem::http::StatusCode;
use poem::{Response, handler};
use serde::Deserialize;

use super::rows::People;
use super::search::Search;
use super::{draw, times};
use crate::auth::{Protected, Visitor};
use crate::csv;
use crate::format::Times;
use crate::forms::FormState;
use crate::i18n::{Language, catalogue};
use crate::problem::Failure;
use crate::views::audit::AUDIT_CSV_FIELDS;

/// Entries read at once.
const PAGE: usize = 200;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    reason: String,
    who: String,
    act: String,
    kind: String,
    record: String,
    from: String,
    to: String,
}

impl Wanted {
    fn search(&self) -> Search {
        Search::of([
            &self.who,
            &self.act,
            &self.kind,
            &self.record,
            &self.from,
            &self.to,
        ])
    }
}

#[handler]
pub(super) async fn download(
    visitor: Visitor,
    Protected { by, data }: Protected<Wanted>,
) -> Result<Response, Failure> {
    let crm = visitor.app.crm.clone();
    let search = data.search();
    if let Err(error) = crm.note_audit_export(&by.actor, &data.reason).await {
        let Error::Invalid(_) = error else {
            return Err(error.into());
        };
        let mut form = FormState::of(&AUDIT_CSV_FIELDS).with("reason", &data.reason);
        form.refuse_with(&error);
        return draw(&visitor, &by, &search, form, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let log = Arc::new(Log {
        people: People::of(&crm, &by.actor).await?,
        times: times(&visitor),
        language: visitor.language,
        filter: search.filter(&times(&visitor)),
        actor: by.actor,
        crm,
    });
    let head = csv::line(&titles(visitor.language));
    let name = format!("audit-{}.csv", log.times.date_code(log.crm.now()));
    Ok(csv::download(&name, head, move |after| {
        let log = Arc::clone(&log);
        async move { log.lines(after).await }
    }))
}

/// What is written into the file, and how.
struct Log {
    crm: Crm,
    actor: Actor,
    filter: AuditFilter,
    people: People,
    times: Times,
    language: Language,
}

impl Log {
    async fn lines(&self, after: Option<AuditPlace>) -> Result<(Vec<String>, Option<AuditPlace>), Error> {
        let found = self
            .crm
            .list_audit_details(&self.actor, self.filter.clone(), after, PAGE)
            .await?;
        let lines = found
            .iter()
            .map(|detail| csv::line(&cells(&self.people, detail, &self.times, self.language)))
            .collect();
        Ok((lines, found.last().map(|last| last.entry.place())))
    }
}

fn titles(language: Language) -> Vec<String> {
    [
        "id", "at", "who", "by", "address", "act", "record", "number", "reason", "changes", "request",
    ]
    .map(|column| catalogue(language).text(&format!("audit_column.{column}"), &[]))
    .to_vec()
}

fn cells(people: &People, detail: &AuditDetail, times: &Times, language: Language) -> Vec<String> {
    let entry = &detail.entry;
    let words = |group: &str, code: &str, known: bool| {
        let key = format!("{group}.{code}");
        let found = catalogue(language).get(&key).filter(|_| known);
        found.unwrap_or(code).to_owned()
    };
    let row = people.row(detail, times, language);
    let changes: Vec<String> = row.changes.iter().map(told).collect();
    let (kind, id) = entry.record.clone().unzip();
    let kind = kind.map(|kind| words("record", &kind, RecordKind::from_code(&kind).is_some()));
    vec![
        entry.id.to_string(),
        times.iso(entry.at),
        entry.by.name.clone(),
        words("actor", &entry.by.kind, true),
        entry.address.clone().unwrap_or_default(),
        words("act", &entry.act, Act::from_code(&entry.act).is_some()),
        kind.unwrap_or_default(),
        id.map(|id| id.to_string()).unwrap_or_default(),
        entry.reason.clone().unwrap_or_default(),
        changes.join("\n"),
        entry.request_id.clone().unwrap_or_default(),
    ]
}

/// `姓: 佐藤 → 鈴木`.
fn told(change: &crate::views::audit::ChangeView) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_default();
    match (&change.old, &change.new) {
        _ if change.masked => format!("{}: ***", change.field),
        (None, None) => change.field.clone(),
        (old, new) => format!("{}: {} → {}", change.field, value(old), value(new)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::field_name;
    use crate::i18n::Language;

    #[test]
    fn a_field_of_a_later_version_is_shown_by_its_code() {
        assert_eq!(
            field_name("of_a_later_version", Language::Ja),
            "of_a_later_version"
        );
        assert_eq!(field_name("last_name", Language::Ja), "姓");
    }
}
