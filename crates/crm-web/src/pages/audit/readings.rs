//! 閲覧の記録: who looked at what, and the switch.

use crm_domain::customers::CustomerId;
use crm_domain::error::Error;
use crm_domain::paging::PageRequest;
use crm_domain::readings::{Reading, ReadingKind, ReadingPlace, ReadingRule};
use poem::http::StatusCode;
use poem::{Response, handler};
use serde::Deserialize;

use super::rows::{People, who};
use super::search::Search;
use super::{cursor, times};
use crate::auth::{Protected, Signed, Visitor};
use crate::format::Times;
use crate::forms::FormState;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::views::audit::{READING_FIELDS, ReadingRow, ReadingsPage};

/// The page; `form` as it was typed when it was refused.
pub(super) async fn draw(
    visitor: &Visitor,
    by: &Signed,
    search: &Search,
    form: Option<FormState>,
    status: StatusCode,
) -> Result<Response, Failure> {
    let crm = &visitor.app.crm;
    let times = times(visitor);
    let after = search
        .place()?
        .map(|(at, id)| ReadingPlace { at, id: id.into_id() });
    let (found, rule) = crm
        .list_readings(&by.actor, search.readings(&times), after, PageRequest::ROWS + 1)
        .await?;
    let people = People::of(crm, &by.actor).await?;
    let next = found.get(PageRequest::ROWS).and(found.get(PageRequest::ROWS - 1));
    let next = next.map(|last| cursor(last.what.at, last.id.get()));
    let kinds = ReadingKind::ALL.map(ReadingKind::code).to_vec();
    let page = ReadingsPage {
        rows: found
            .iter()
            .take(PageRequest::ROWS)
            .map(|reading| row(reading, &times))
            .collect(),
        on: rule.on,
        form: form.unwrap_or_else(|| typed(if rule.on { "1" } else { "" }, &rule.days.to_string())),
        pager: search.pager(next.as_ref()),
        search: search.view(&people, kinds),
    };
    visitor.page(status, Menu::AdminAudit, &page)
}

fn typed(on: &str, days: &str) -> FormState {
    FormState::of(&READING_FIELDS)
        .with("reading_log", on)
        .with("reading_days", days)
}

fn row(reading: &Reading, times: &Times) -> ReadingRow {
    let what = &reading.what;
    ReadingRow {
        at: times.exact(what.at),
        iso: times.iso(what.at),
        who: who(&what.by, what.address.clone()),
        kind: what.kind.code(),
        customer: what.customer_id.map(CustomerId::get),
        words: what.words.clone(),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Rule {
    /// `1` for on.
    reading_log: String,
    reading_days: String,
}

#[handler]
pub(super) async fn set_rule(
    visitor: Visitor,
    Protected { by, data }: Protected<Rule>,
) -> Result<Response, Failure> {
    let rule = ReadingRule {
        on: data.reading_log == "1",
        days: data.reading_days.trim().parse().unwrap_or_default(),
    };
    if let Err(error) = visitor.app.crm.set_reading_rule(&by.actor, rule).await {
        let Error::Invalid(_) = error else {
            return Err(error.into());
        };
        let mut form = typed(&data.reading_log, &data.reading_days);
        form.refuse_as(&error, &[("days", "reading_days")]);
        let search = Search::of_readings();
        return draw(
            &visitor,
            &by,
            &search,
            Some(form),
            StatusCode::UNPROCESSABLE_ENTITY,
        )
        .await;
    }
    let back = links::with_query(links::AUDIT, &[("tab", "readings")]);
    Ok(visitor.redirect(&back, Some(("saved", None))))
}
