//! Every address, once.

use poem::endpoint::BoxEndpoint;
use poem::http::header;
use poem::middleware::CatchPanic;
use poem::web::Path;
use poem::{EndpointExt as _, Request, Response, Route, get, handler};

use crate::{api, assets, auth, health, live, metrics, pages};

/// Marks the answer in place of a handler that panicked; the front tells it like every failure.
#[derive(Debug, Clone, Copy)]
pub struct Panicked;

/// All routes but the callback's, which the front answers itself.
pub fn routes() -> BoxEndpoint<'static, Response> {
    let route = Route::new()
        .at("/assets/:version/*path", get(asset))
        .at("/favicon.ico", get(icon));
    let route = [
        auth::mount,
        api::mount,
        health::mount,
        metrics::mount,
        live::mount,
        pages::mount,
    ]
    .into_iter()
    .fold(route, |route, mount| mount(route));
    let panicked = |_| {
        let mut response = Response::default();
        response.extensions_mut().insert(Panicked);
        response
    };
    route
        .with(CatchPanic::new().with_handler(panicked))
        .map_to_response()
        .boxed()
}

#[handler]
fn asset(Path((version, path)): Path<(String, String)>, request: &Request) -> Response {
    let has = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    assets::serve(&version, &path, has)
}

#[handler]
fn icon(request: &Request) -> Response {
    let has = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    assets::serve(assets::version(), "icons/icon.svg", has)
}
