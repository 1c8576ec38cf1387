//! What is searched for in the logs of audit and reading.

use std::str::FromStr as _;

use crm_domain::audit::{Act, AuditFilter, By, Record, RecordKind};
use crm_domain::customers::CustomerId;
use crm_domain::id::Id;
use crm_domain::instant::Instant;
use crm_domain::members::MemberId;
use crm_domain::paging::{Cursor, NotACursor};
use crm_domain::readings::{ReadingFilter, ReadingKind};
use serde::Deserialize;
use time::Date;
use time::macros::format_description;

use super::rows::People;
use crate::format::Times;
use crate::links;
use crate::views::Pager;
use crate::views::audit::AuditSearch;

/// The address of the page, or the hidden fields of its forms. What cannot be understood finds nothing out of the way.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Search {
    /// `readings` for the reading log.
    pub(super) tab: String,
    who: String,
    act: String,
    kind: String,
    record: String,
    from: String,
    to: String,
    after: String,
}

/// A number whose kind the caller knows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number(i64);

impl Number {
    pub(super) fn into_id<T>(self) -> Id<T> {
        Id::new(self.0)
    }
}

/// The acts that can be chosen.
pub(super) fn acts() -> Vec<&'static str> {
    Act::ALL.iter().map(|act| act.code()).collect()
}

impl Search {
    /// The reading log, searched for nothing.
    pub(super) fn of_readings() -> Search {
        Search {
            tab: "readings".to_owned(),
            ..Search::default()
        }
    }

    /// Who, act, kind and number of the record, first and last day.
    pub(super) fn of(wanted: [&str; 6]) -> Search {
        let [who, act, kind, record, from, to] = wanted.map(str::to_owned);
        Search {
            who,
            act,
            kind,
            record,
            from,
            to,
            ..Search::default()
        }
    }

    /// Where the page before ended.
    pub(super) fn place(&self) -> Result<Option<(Instant, Number)>, NotACursor> {
        if self.after.is_empty() {
            return Ok(None);
        }
        let cursor = Cursor::from_str(&self.after)?;
        let millis = cursor.key.parse().map_err(|_| NotACursor)?;
        Ok(Some((Instant::from_unix_millis(millis), Number(cursor.id))))
    }

    pub(super) fn filter(&self, times: &Times) -> AuditFilter {
        let kind = RecordKind::from_code(&self.kind);
        let id = self.record.trim().parse().ok();
        let record = kind.zip(id).map(|(kind, id)| Record { kind, id });
        let customer = record.filter(|record| record.kind == RecordKind::Customer);
        AuditFilter {
            member_id: self.member(),
            by_kind: self.by_kind(),
            act: Act::from_code(&self.act),
            // Of a customer all that concerns them, not only changes of the record.
            customer_id: customer.map(|record| CustomerId::new(record.id)),
            record: record.filter(|_| customer.is_none()),
            record_kind: kind.filter(|_| record.is_none()),
            text: None,
            from: day(&self.from).and_then(|day| times.end_of(day.previous_day()?)),
            to: day(&self.to).and_then(|day| times.end_of(day)),
        }
    }

    pub(super) fn readings(&self, times: &Times) -> ReadingFilter {
        let by = self.filter(times);
        ReadingFilter {
            member_id: by.member_id,
            kind: ReadingKind::from_code(&self.act),
            customer_id: self.record.trim().parse().ok(),
            from: by.from,
            to: by.to,
        }
    }

    fn member(&self) -> Option<MemberId> {
        self.who.strip_prefix("member:")?.parse().ok()
    }

    fn by_kind(&self) -> Option<String> {
        By::KINDS.contains(&self.who.as_str()).then(|| self.who.clone())
    }

    fn pairs(&self) -> [(&str, &str); 7] {
        [
            ("tab", self.tab.as_str()),
            ("who", &self.who),
            ("act", &self.act),
            ("kind", &self.kind),
            ("record", self.record.trim()),
            ("from", &self.from),
            ("to", &self.to),
        ]
    }

    /// Ways to the rows before and behind, which keep what is searched for.
    pub(super) fn pager(&self, next: Option<&Cursor>) -> Pager {
        let to = |after: &str| {
            let mut pairs = self.pairs().to_vec();
            pairs.push(("after", after));
            pairs.retain(|(_, value)| !value.is_empty());
            links::with_query(links::AUDIT, &pairs)
        };
        Pager {
            next: next.map(|cursor| to(&cursor.to_string())),
            first: (!self.after.is_empty()).then(|| to("")),
        }
    }

    /// What the form shows.
    pub(super) fn view(&self, people: &People, acts: Vec<&'static str>) -> AuditSearch {
        AuditSearch {
            who: self.who.clone(),
            act: self.act.clone(),
            kind: self.kind.clone(),
            record: self.record.trim().to_owned(),
            from: day(&self.from).map(|_| self.from.clone()).unwrap_or_default(),
            to: day(&self.to).map(|_| self.to.clone()).unwrap_or_default(),
            any: self
                .pairs()
                .iter()
                .any(|(name, value)| *name != "tab" && !value.is_empty()),
            members: people.choices(),
            by_kinds: vec!["operator", "job", "nobody"],
            acts,
            kinds: RecordKind::ALL.iter().map(|kind| kind.code()).collect(),
        }
    }
}

fn day(text: &str) -> Option<Date> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).ok()
}
