//! 「メンバーから選ぶ」: the members of LINE WORKS, as a page and for the dialog of the form.

use poem::http::{StatusCode, header};
use poem::web::Query;
use poem::{Response, Route, get, handler};
use serde::Deserialize;
use serde_json::json;

use super::id;
use crate::auth::{Signed, Visitor};
use crate::i18n::catalogue;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::views::profiles::MemberChoicePage;

pub(super) fn mount(route: Route) -> Route {
    route
        .at(links::LINE_WORKS_MEMBERS, get(choose))
        .at(links::LINE_WORKS_MEMBERS_JSON, get(list))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChoiceQuery {
    /// What is searched for.
    q: String,
    /// Whose form asks; empty for a new customer's.
    customer: String,
}

impl ChoiceQuery {
    async fn found(&self, visitor: &Visitor, by: &Signed) -> Result<MemberChoicePage, Failure> {
        let customer = match self.customer.as_str() {
            "" => None,
            number => Some(id::<crm_domain::customers::Customer>(number)?.get()),
        };
        let choice = visitor.app.crm.line_works_members(&by.actor).await?;
        Ok(MemberChoicePage::of(&choice, &self.q, customer))
    }
}

#[handler]
async fn choose(visitor: Visitor, by: Signed, Query(query): Query<ChoiceQuery>) -> Result<Response, Failure> {
    let page = query.found(&visitor, &by).await?;
    visitor.page(StatusCode::OK, Menu::Customers, &page)
}

#[handler]
async fn list(visitor: Visitor, by: Signed, Query(query): Query<ChoiceQuery>) -> Result<Response, Failure> {
    let page = query.found(&visitor, &by).await?;
    let texts = catalogue(visitor.language);
    let members: Vec<_> = page
        .rows
        .iter()
        .map(|row| {
            json!({
                "user_id": row.user_id,
                "name": row.name,
                "kana": row.kana,
                "email": row.email,
            })
        })
        .collect();
    let problem = page.problem.map(|problem| problem.words(texts));
    let body = json!({"members": members, "more": page.more, "problem": problem});
    Ok(Response::builder()
        .content_type("application/json; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store")
        .body(body.to_string()))
}
