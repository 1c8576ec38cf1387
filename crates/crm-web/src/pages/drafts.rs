//! Drafts: what a member types is kept on the server, for the next page and the next browser.

use crm_domain::customers::CustomerId;
use poem::http::StatusCode;
use poem::web::Path;
use poem::{Response, Route, handler, post};
use serde::Deserialize;
use serde_json::json;

use super::activities::answer;
use super::id;
use crate::auth::{Protected, Visitor};
use crate::problem::Failure;

pub(super) fn mount(route: Route) -> Route {
    route.at("/customer/:id/draft", post(keep))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    message: String,
}

#[handler]
async fn keep(
    visitor: Visitor,
    Path(number): Path<String>,
    Protected { by, data: typed }: Protected<Typed>,
) -> Result<Response, Failure> {
    let customer: CustomerId = id(&number)?;
    let crm = &visitor.app.crm;
    match crm.keep_draft(&by.actor, customer, typed.message).await {
        Ok(()) => Ok(answer(StatusCode::OK, &json!({"success": true}))),
        Err(error) => Ok(Failure::from(error).as_json(visitor.language)),
    }
}
