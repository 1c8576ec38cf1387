//! `GET /events`: the stream, and for whoever asks for JSON what came after a place.

use crm_domain::events::{EventCursor, EventPlace};
use crm_domain::use_cases::Events;
use poem::http::{HeaderMap, StatusCode, header};
use poem::web::Query;
use poem::{Request, Response, Route, get, handler};
use serde::Deserialize;
use serde_json::json;

use super::{data_of, encode, stream};
use crate::auth::Proven;
use crate::links;
use crate::problem::Failure;
use crate::state::App;

/// Adds the address.
pub fn mount(route: Route) -> Route {
    route.at(links::EVENTS, get(follow))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EventsQuery {
    /// Where the page stands.
    cursor: String,
}

#[handler]
async fn follow(request: &Request, Query(query): Query<EventsQuery>) -> Result<Response, Failure> {
    let app = App::of(request)?;
    let headers = request.headers();
    let streams = accepts(headers, "text/event-stream");
    let after = place(headers, &query.cursor);
    let reader = match Proven::of(&app, headers).await {
        Ok(reader) => reader,
        // A browser that may not read the stream cannot see why; so it is told in the stream.
        Err(Failure::NotSignedIn) if streams => return Ok(streaming(encode::signed_out().into())),
        Err(failure) => return Err(failure),
    };
    if !streams {
        return list(&app, &reader, after).await;
    }
    if app.stop.is_said() {
        return Ok(busy());
    }
    let Some(seat) = app.live.seat() else {
        return Ok(busy());
    };
    Ok(streaming(stream::begin(app, reader, after, seat)))
}

/// Where the reader stands: what the browser remembers of the stream wins over what the page says. What cannot be read is a
/// place that nobody knows.
fn place(headers: &HeaderMap, cursor: &str) -> Option<EventCursor> {
    let remembered = headers.get("last-event-id").map(|id| id.to_str().unwrap_or("?"));
    let text = remembered.filter(|id| !id.is_empty()).unwrap_or(cursor);
    if text.is_empty() {
        return None;
    }
    Some(text.parse().unwrap_or(EventCursor {
        epoch: "unknown".to_owned(),
        place: EventPlace::default(),
    }))
}

fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains(kind))
}

fn streaming(body: poem::Body) -> Response {
    Response::builder()
        .header(header::CONTENT_TYPE, "text/event-stream")
        .header("x-accel-buffering", "no")
        .body(body)
}

fn busy() -> Response {
    Response::builder()
        .status(StatusCode::SERVICE_UNAVAILABLE)
        .header(header::RETRY_AFTER, "3")
        .finish()
}

/// What came after the place, without waiting for more.
async fn list(app: &App, reader: &Proven, after: Option<EventCursor>) -> Result<Response, Failure> {
    let body = match app.crm.list_events(&reader.who.actor, after).await? {
        Events::List { events, cursor } => {
            let events: Vec<_> = events
                .iter()
                .map(|event| json!({"event": event.what.kind.code(), "data": data_of(event)}))
                .collect();
            json!({"reload": false, "cursor": cursor.to_string(), "events": events})
        }
        Events::Reload(cursor) => json!({"reload": true, "cursor": cursor.to_string(), "events": []}),
    };
    Ok(Response::builder()
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .body(body.to_string()))
}
