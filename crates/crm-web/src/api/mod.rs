//! The JSON API for other programs, and the document that describes it.

mod companies;
mod customers;
mod document;
mod etag;
mod fields;
mod headers;
mod list;
mod messages;
mod repeating;

use crm_domain::error::Error;
use poem::http::header;
use poem::{EndpointExt as _, Response, Route, get, handler};
use poem_openapi::types::MaybeUndefined;
use poem_openapi::{ApiResponse, OpenApiService};

pub(crate) use companies::Company;
pub(crate) use customers::Customer;
pub use document::document;

use companies::Companies;
use customers::Customers;
use messages::Messages;

use crate::problem::Failure;

/// Below this path stands version 1.
pub const BASE: &str = "/api/v1";

/// What is answered when something was moved to the trash.
#[derive(ApiResponse)]
enum Discarded {
    /// It is in the trash.
    #[oai(status = 204)]
    Done,
}

impl Discarded {
    /// After trying to.
    fn after<T>(outcome: Result<T, Error>) -> poem::Result<Self> {
        outcome.map_err(Failure::from)?;
        Ok(Self::Done)
    }
}

/// A text that is to be as given; null empties the field.
fn text(field: MaybeUndefined<String>) -> Option<String> {
    match field {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(String::new()),
        MaybeUndefined::Value(text) => Some(text),
    }
}

/// The operations of version 1.
fn service() -> OpenApiService<(Customers, Companies, Messages), ()> {
    OpenApiService::new((Customers, Companies, Messages), "Customer Management API", "1")
}

/// Adds the API's addresses.
pub fn mount(route: Route) -> Route {
    route
        .at("/api/v1/openapi.json", get(show_document))
        .nest(BASE, service().around(headers::checked).around(etag::tagged))
}

#[handler]
fn show_document() -> Response {
    Response::builder()
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-cache")
        .body(document().to_string())
}
