//! Entries as the page and the file show them.

use std::collections::BTreeMap;

use crm_domain::audit::{Act, By, Change, RecordKind};
use crm_domain::error::Error;
use crm_domain::members::MemberId;
use crm_domain::permissions::Actor;
use crm_domain::use_cases::{AuditDetail, Crm};

use crate::format::Times;
use crate::i18n::{Language, catalogue};
use crate::links;
use crate::views::audit::{AuditRow, ChangeView, RecordView, WhoChoice, WhoView};

/// Fields whose values are numbers of members.
const OF_MEMBERS: [&str; 3] = ["owner_id", "handler_id", "member_id"];

/// The members and their names today.
pub(super) struct People(BTreeMap<MemberId, String>);

impl People {
    pub(super) async fn of(crm: &Crm, actor: &Actor) -> Result<People, Error> {
        let members = crm.list_members(actor).await?;
        Ok(People(
            members
                .into_iter()
                .map(|member| (member.id, member.name))
                .collect(),
        ))
    }

    pub(super) fn choices(&self) -> Vec<WhoChoice> {
        let mut choices: Vec<WhoChoice> = self
            .0
            .iter()
            .map(|(id, name)| WhoChoice {
                value: format!("member:{id}"),
                name: name.clone(),
            })
            .collect();
        choices.sort_by(|one, other| one.name.cmp(&other.name));
        choices
    }

    pub(super) fn row(&self, detail: &AuditDetail, times: &Times, language: Language) -> AuditRow {
        let entry = &detail.entry;
        let changes = match &detail.changes {
            Some(changes) => changes
                .iter()
                .map(|change| self.change(change, language))
                .collect(),
            None => entry
                .fields
                .iter()
                .map(|field| ChangeView {
                    field: field_name(field, language),
                    old: None,
                    new: None,
                    masked: false,
                })
                .collect(),
        };
        AuditRow {
            id: entry.id.get(),
            at: times.exact(entry.at),
            iso: times.iso(entry.at),
            who: WhoView {
                request_id: entry.request_id.clone(),
                ..who(&entry.by, entry.address.clone())
            },
            known: Act::from_code(&entry.act).is_some(),
            act: entry.act.clone(),
            record: entry.record.as_ref().map(|(kind, id)| record(kind, *id)),
            reason: entry.reason.clone(),
            changes,
            emptied: detail.changes.is_none(),
        }
    }

    fn change(&self, change: &Change, language: Language) -> ChangeView {
        let shown = |value: &Option<String>| {
            let value = value.as_ref()?;
            let member = OF_MEMBERS
                .contains(&change.field.as_str())
                .then(|| value.parse().ok())
                .flatten();
            let name = member.and_then(|id: MemberId| self.0.get(&id));
            Some(name.unwrap_or(value).clone())
        };
        ChangeView {
            field: field_name(&change.field, language),
            old: shown(&change.old),
            new: shown(&change.new),
            masked: change.masked,
        }
    }
}

/// What a field is called; one that this version does not know by its code.
pub(super) fn field_name(field: &str, language: Language) -> String {
    let words = catalogue(language).get(&format!("audit_field.{field}"));
    words.unwrap_or(field).to_owned()
}

pub(super) fn who(by: &By, address: Option<String>) -> WhoView {
    let told = By::KINDS.contains(&by.kind.as_str()) && by.kind != "member";
    WhoView {
        name: by.name.clone(),
        kind: told.then(|| by.kind.clone()),
        address,
        request_id: None,
    }
}

fn record(kind: &str, id: i64) -> RecordView {
    let known = RecordKind::from_code(kind);
    let link = match known {
        Some(RecordKind::Customer) => Some(links::customer(id)),
        Some(RecordKind::Company) => Some(links::company(id)),
        Some(RecordKind::Member) => Some(links::user(id)),
        Some(RecordKind::Team) => Some(links::team(id)),
        _ => None,
    };
    RecordView {
        kind: kind.to_owned(),
        known: known.is_some(),
        id,
        link,
    }
}

#[cfg(test)]
mod tests {
    use crm_domain::audit::{Act, By, RecordKind};

    use crate::i18n::{Language, catalogue};

    #[test]
    fn every_act_record_and_actor_has_its_words() {
        let acts = Act::ALL.iter().map(|act| format!("act.{}", act.code()));
        let records = RecordKind::ALL
            .iter()
            .map(|kind| format!("record.{}", kind.code()));
        let actors = By::KINDS.iter().map(|kind| format!("actor.{kind}"));
        for key in acts.chain(records).chain(actors) {
            for language in Language::ALL {
                assert!(catalogue(language).get(&key).is_some(), "{key}");
            }
        }
    }
}
