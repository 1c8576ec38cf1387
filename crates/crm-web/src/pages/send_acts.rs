//! What a person can do about a message that is on its way, or of which it is not known whether it arrived.

use crm_domain::error::Error;
use crm_domain::sends::{Send, SendId};
use poem::http::{HeaderMap, StatusCode};
use poem::web::Path;
use poem::{Response, Route, handler, post};
use serde::Deserialize;
use serde_json::json;

use super::activities::answer;
use super::id;
use super::sends::wants_json;
use crate::auth::{Protected, Visitor, referring_page, safe_next};
use crate::i18n::catalogue;
use crate::links;
use crate::problem::Failure;
use crate::sentence::Sentence;

pub(super) fn mount(route: Route) -> Route {
    route
        .at("/send/:id/cancel", post(cancel))
        .at("/send/:id/treat-as-sent", post(treat))
}

/// On whose page the button was pressed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Place {
    customer: String,
}

#[handler]
async fn cancel(
    visitor: Visitor,
    Path(number): Path<String>,
    headers: &HeaderMap,
    Protected { by, data: place }: Protected<Place>,
) -> Result<Response, Failure> {
    let message: SendId = id(&number)?;
    let done = visitor.app.crm.cancel_message(&by.actor, message).await;
    let words = ("message_cancelled", "message_already_leaving");
    tell(&visitor, headers, &place, done, words)
}

#[handler]
async fn treat(
    visitor: Visitor,
    Path(number): Path<String>,
    headers: &HeaderMap,
    Protected { by, data: place }: Protected<Place>,
) -> Result<Response, Failure> {
    let message: SendId = id(&number)?;
    let done = visitor.app.crm.treat_as_sent(&by.actor, message).await;
    let words = ("message_treated", "message_not_treated");
    tell(&visitor, headers, &place, done, words)
}

/// Leads back to the page, where a line says whether it was done or why it could not be; as JSON to scripts.
fn tell(
    visitor: &Visitor,
    headers: &HeaderMap,
    place: &Place,
    done: Result<Send, Error>,
    (yes, no): (&'static str, &'static str),
) -> Result<Response, Failure> {
    let (status, said) = match done {
        Ok(_) => (StatusCode::OK, yes),
        Err(Error::Stale) => (StatusCode::CONFLICT, no),
        Err(error) => return Err(error.into()),
    };
    if wants_json(headers) {
        let words = Sentence::of(format!("notice.{said}")).words(catalogue(visitor.language));
        let body = json!({"success": status == StatusCode::OK, "message": words});
        return Ok(answer(status, &body));
    }
    let back = match place.customer.parse() {
        Ok(customer) => links::customer(customer),
        Err(_) => safe_next(referring_page(headers).unwrap_or(links::CUSTOMERS)).to_owned(),
    };
    Ok(visitor.redirect(&back, Some((said, None))))
}
