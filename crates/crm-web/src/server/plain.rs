//! What is answered to who speaks http where https is spoken.

use async_trait::async_trait;
use poem::http::{Method, StatusCode, header};
use poem::{Request, Response};

use super::{Answer, headers, request_id};
use crate::health;
use crate::state::App;

/// Leads readers to https, and tells programs that check on us how we are. Nothing else is answered: what was sent in the
/// clear was read on the way.
pub struct PlainDoor(pub App);

#[async_trait]
impl Answer for PlainDoor {
    async fn answer(&self, request: Request) -> Response {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let mut response = match request.uri().path() {
            health::LIVES if reads => health::lives(),
            health::READY if reads => health::readiness(&self.0).await,
            _ if reads => self.lead(&request),
            _ => refusal(),
        };
        headers::harden(&mut response, false);
        // Nobody is believed here: a proxy of ours speaks https.
        if let Some(id) = self.0.ids().of(request.headers(), false).header() {
            response.headers_mut().insert(request_id::HEADER, id);
        }
        response
    }
}

impl PlainDoor {
    /// Only names of ours are led to, so that a link to us leads nowhere else.
    fn lead(&self, request: &Request) -> Response {
        let host = request
            .headers()
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        let place = request.uri().path_and_query().map_or("/", |place| place.as_str());
        let Some(base) = self.0.settings.origins.over_https(host.unwrap_or_default()) else {
            return refusal();
        };
        Response::builder()
            .status(StatusCode::PERMANENT_REDIRECT)
            .header(header::LOCATION, format!("{base}{place}"))
            .finish()
    }
}

fn refusal() -> Response {
    Response::builder()
        .status(StatusCode::BAD_REQUEST)
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .body("このポートはhttpsだけに対応しています。https:// で開いてください。\nThis port speaks https only. Use https://\n")
}
