//! Searching everything at once, for people and for programs.

use crm_domain::activities::ActivityId;
use crm_domain::error::Error;
use crm_domain::searches::{Found, MessageFound};
use crm_domain::use_cases::Looked;
use poem::http::{HeaderMap, StatusCode};
use poem::web::Query;
use poem::{Response, Route, get, handler};
use poem_openapi::types::ToJSON as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::activities::{activity_json, answer, customer_json};
use super::sends::wants_json;
use super::times;
use crate::api::Company;
use crate::auth::{Signed, Visitor};
use crate::links;
use crate::page::Menu;
use crate::problem::{Failure, status_of_refusal};
use crate::sentence::Sentence;
use crate::views::searches::SearchPage;

pub(super) fn mount(route: Route) -> Route {
    route.at(links::SEARCH, get(search))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SearchQuery {
    /// What is searched for.
    q: String,
    /// The message with which the page before ended.
    after: String,
}

impl SearchQuery {
    fn before(&self) -> Result<Option<ActivityId>, Failure> {
        match self.after.as_str() {
            "" => Ok(None),
            number => number.parse().map(Some).map_err(|_| Failure::Parameter("after")),
        }
    }
}

#[handler]
async fn search(
    visitor: Visitor,
    by: Signed,
    headers: &HeaderMap,
    Query(query): Query<SearchQuery>,
) -> Result<Response, Failure> {
    let (before, crm) = (query.before()?, &visitor.app.crm);
    let found = match crm.search(&by.actor, &query.q, before).await {
        Ok(found) => found,
        Err(error) if wants_json(headers) => return Err(error.into()),
        Err(error) => return refuse(&visitor, &query, error),
    };
    crm.note_reading(&by.actor, Looked::Search(query.q.clone()));
    if wants_json(headers) {
        return Ok(answer(StatusCode::OK, &found_json(found)));
    }
    let page = SearchPage::of(&query.q, before.is_some(), &found, &times(&visitor));
    visitor.page(StatusCode::OK, Menu::None, &page)
}

/// The field again with what was typed, and why it was not searched for.
fn refuse(visitor: &Visitor, query: &SearchQuery, error: Error) -> Result<Response, Failure> {
    let Error::Invalid(_) = &error else {
        return Err(error.into());
    };
    let status = status_of_refusal(&error).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
    let page = SearchPage::refused(&query.q, Sentence::error(&error));
    visitor.page(status, Menu::None, &page)
}

fn found_json(found: Found) -> Value {
    let Found {
        customers,
        companies,
        messages,
    } = found;
    let company = |line| Company::from(line).to_json().unwrap_or_default();
    json!({
        "more_customers": customers.next.is_some(),
        "more_companies": companies.next.is_some(),
        "customers": customers.items.into_iter().map(customer_json).collect::<Vec<_>>(),
        "companies": companies.items.into_iter().map(company).collect::<Vec<_>>(),
        "activities": messages.items.iter().map(message_json).collect::<Vec<_>>(),
        "next": messages.next.map(|next| next.to_string()),
        "is_complete": messages.is_complete,
    })
}

fn message_json(found: &MessageFound) -> Value {
    let mut message = activity_json(&found.activity);
    message["customer_name"] = found.customer.customer.details.name.full().into();
    message
}
