//! The test of the callback (§5.5.1): a signed sample goes the real way, and the page shows how far it came.

use poem::http::{HeaderMap, StatusCode};
use poem::{Response, Route, get, handler};

use crate::auth::{Signed, Visitor};
use crate::page::Menu;
use crate::problem::Failure;
use crate::views::system::WebhookTestPage;

pub(super) fn mount(route: Route) -> Route {
    route.at("/test-webhook", get(test))
}

#[handler]
async fn test(visitor: Visitor, by: Signed, headers: &HeaderMap) -> Result<Response, Failure> {
    // It writes although it is a GET (§5.5.1), so no page of a stranger may start it, nor one of a neighbour.
    if headers
        .get("sec-fetch-site")
        .is_some_and(|site| site == "cross-site" || site == "same-site")
    {
        return Err(Failure::Forged);
    }
    let trial = visitor.app.crm.try_callback(&by.actor).await?;
    visitor.page(
        StatusCode::OK,
        Menu::None,
        &WebhookTestPage::of(&trial.passed, trial.failure),
    )
}
