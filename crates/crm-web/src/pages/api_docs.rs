//! The browsable page of the JSON API.

use poem::http::StatusCode;
use poem::{Response, Route, get, handler};

use crate::api::document;
use crate::auth::Visitor;
use crate::page::Menu;
use crate::problem::Failure;
use crate::views::api_docs::ApiDocsPage;

pub(super) fn mount(route: Route) -> Route {
    route.at("/api/docs", get(show))
}

#[handler]
#[expect(clippy::needless_pass_by_value, reason = "extractors come by value")]
fn show(visitor: Visitor) -> Result<Response, Failure> {
    visitor.page(StatusCode::OK, Menu::None, &ApiDocsPage::of(document()))
}
