//! The browsable page of the JSON API.

use poem::http::StatusCode;
use poem::{Response, Route, get, handler};

use crate::api::document;
use crate::auth::Visitor;
use crate::i18n::{Language, catalogue};
use crate::page::Menu;
use crate::problem::Failure;
use crate::views::api_docs::ApiDocsPage;

pub(super) fn mount(route: Route) -> Route {
    route.at("/api/docs", get(show))
}

#[handler]
fn show(mut visitor: Visitor) -> Result<Response, Failure> {
    let reader = visitor.language;
    let page = ApiDocsPage {
        note: (reader != Language::En).then(|| catalogue(reader).text("api.english", &[])),
        ..ApiDocsPage::of(document())
    };
    // The document is in English; so is all that stands around it.
    visitor.language = Language::En;
    visitor.page(StatusCode::OK, Menu::None, &page)
}
