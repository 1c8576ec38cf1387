//! 操作履歴（監査ログ）: who did what, as a page and as a file; and 閲覧の記録, who looked at what.

mod file;
mod readings;
mod rows;
mod search;

use crm_domain::audit::AuditPlace;
use crm_domain::paging::{Cursor, PageRequest};
use poem::http::StatusCode;
use poem::web::Query;
use poem::{Response, Route, get, handler, post};

use self::search::Search;
use super::times;
use crate::auth::{Signed, Visitor};
use crate::forms::FormState;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::views::audit::{AUDIT_CSV_FIELDS, AuditPage};

pub(super) fn mount(route: Route) -> Route {
    route
        .at(links::AUDIT, get(show))
        .at("/admin/audit/csv", post(file::download))
        .at("/admin/audit/readings", post(readings::set_rule))
}

#[handler]
async fn show(visitor: Visitor, by: Signed, Query(search): Query<Search>) -> Result<Response, Failure> {
    if search.tab == "readings" {
        return readings::draw(&visitor, &by, &search, None, StatusCode::OK).await;
    }
    let form = FormState::of(&AUDIT_CSV_FIELDS);
    draw(&visitor, &by, &search, form, StatusCode::OK).await
}

/// The page; `csv` is the form of the file, as it was typed when it was refused.
async fn draw(
    visitor: &Visitor,
    by: &Signed,
    search: &Search,
    csv: FormState,
    status: StatusCode,
) -> Result<Response, Failure> {
    let crm = &visitor.app.crm;
    let times = times(visitor);
    let after = search
        .place()?
        .map(|(at, id)| AuditPlace { at, id: id.into_id() });
    let found = crm
        .list_audit_details(&by.actor, search.filter(&times), after, PageRequest::ROWS + 1)
        .await?;
    let people = rows::People::of(crm, &by.actor).await?;
    let next = found.get(PageRequest::ROWS).and(found.get(PageRequest::ROWS - 1));
    let next = next.map(|last| cursor(last.entry.at, last.entry.id.get()));
    let page = AuditPage {
        rows: found
            .iter()
            .take(PageRequest::ROWS)
            .map(|detail| people.row(detail, &times, visitor.language))
            .collect(),
        pager: search.pager(next.as_ref()),
        search: search.view(&people, search::acts()),
        csv,
    };
    visitor.page(status, Menu::AdminAudit, &page)
}

/// A place in a list that is ordered by time.
fn cursor(at: crm_domain::instant::Instant, id: i64) -> Cursor {
    Cursor {
        key: at.unix_millis().to_string(),
        id,
    }
}
