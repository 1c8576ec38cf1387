//! Messages: pieces of a conversation for the open page, delete, bring back, and the check of a user id (§5.5.2).

use crm_domain::activities::{Activity, ActivityId, ActivityPlace};
use crm_domain::customers::{CustomerId, CustomerLine};
use crm_domain::error::Error;
use crm_domain::permissions::Action;
use crm_domain::sends::SendState;
use crm_domain::use_cases::Looked;
use crm_domain::values::LineUserId;
use poem::http::{StatusCode, header};
use poem::web::{Path, Query};
use poem::{Response, Route, get, handler, post};
use poem_openapi::types::ToJSON as _;
use serde::Deserialize;
use serde_json::{Value, json};
use time::Duration;

use super::customers::{MESSAGES, head_of, older_talk};
use super::{id, may, times};
use crate::api::Customer;
use crate::auth::{Nothing, Protected, Signed, Visitor};
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::sentence::Sentence;
use crate::views::LinkView;
use crate::views::activities::{MessagesFragment, Present, Talk};
use crate::views::conversation::{code_of, place_of};

pub(super) fn mount(route: Route) -> Route {
    route
        .at("/customer/:id/messages", get(piece))
        .at("/activity/:id/delete", post(delete))
        .at("/activity/:id/restore", post(restore))
        .at("/check-customer/:user_id", get(check))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PieceQuery {
    /// Messages before this place.
    before: String,
    /// Messages added after this one.
    after: String,
    /// Numbers of messages whose state may have changed, separated by commas.
    watch: String,
}

#[handler]
async fn piece(
    visitor: Visitor,
    by: Signed,
    Path(number): Path<String>,
    Query(query): Query<PieceQuery>,
) -> Result<Response, Failure> {
    let customer: CustomerId = id(&number)?;
    let page = if query.before.is_empty() {
        news(&visitor, &by, customer, &query).await?
    } else {
        let line = visitor.app.crm.show_customer(&by.actor, customer).await?;
        MessagesFragment {
            talk: older_talk(&visitor, &by, &line, &query.before).await?,
            link: None,
            present: None,
            head: None,
        }
    };
    visitor.page(StatusCode::OK, Menu::None, &page)
}

/// What was added, and those of the watched messages that are among the newest.
async fn news(
    visitor: &Visitor,
    by: &Signed,
    customer: CustomerId,
    query: &PieceQuery,
) -> Result<MessagesFragment, Failure> {
    let after = match query.after.as_str() {
        "" | "0" => None,
        number => Some(
            number
                .parse::<ActivityId>()
                .map_err(|_| Failure::Parameter("after"))?,
        ),
    };
    let crm = &visitor.app.crm;
    let mut found = crm.new_messages(&by.actor, customer, after, MESSAGES).await?;
    let newest = crm.conversation(&by.actor, customer, None, MESSAGES).await?;
    let present = Present::of(&newest, MESSAGES);
    let watched: Vec<i64> = query
        .watch
        .split(',')
        .filter_map(|number| number.parse().ok())
        .collect();
    let known: Vec<ActivityId> = found.iter().map(|message| message.id).collect();
    let changed = newest
        .into_iter()
        .filter(|message| watched.contains(&message.id.get()) && !known.contains(&message.id));
    found.extend(changed);
    found.sort_by_key(|message| (message.timestamp, message.id));
    let times = times(visitor);
    let link = crm.show_customer(&by.actor, customer).await?.link;
    let lines = crm.conversations_of_customer(&by.actor, customer).await?;
    Ok(MessagesFragment {
        talk: Talk::of(&found, may(by, Action::DeleteMessages), &times),
        link: Some(LinkView::of(link, &times)),
        present: Some(present),
        head: Some(head_of(visitor, by, &lines)),
    })
}

/// How long after a message the page ends that shows it, so that what was answered stands there too; the longest that fits.
const AFTERWARDS: [Duration; 3] = [Duration::days(1), Duration::hours(1), Duration::minutes(5)];

/// The part of a conversation in which a message stands: the newest part where possible, else one that goes on a while after
/// it, else one that ends with it. The newest part when it is gone.
pub(super) async fn talk_at(
    visitor: &Visitor,
    by: &Signed,
    line: &CustomerLine,
    at: &str,
) -> Result<Talk, Failure> {
    let place = place_of(at).ok_or(Failure::Parameter("at"))?;
    let later = AFTERWARDS.map(|while_after| ActivityPlace {
        timestamp: place.timestamp.plus(while_after),
        ..place
    });
    let behind = ActivityPlace {
        id: ActivityId::new(place.id.get().saturating_add(1)),
        ..place
    };
    let ends = later.into_iter().chain([behind]).map(code_of);
    for before in std::iter::once(String::new()).chain(ends) {
        let talk = older_talk(visitor, by, line, &before).await?;
        if talk.holds(place.id.get()) {
            return Ok(talk);
        }
    }
    older_talk(visitor, by, line, "").await
}

#[handler]
async fn delete(
    visitor: Visitor,
    Path(number): Path<String>,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    let message: ActivityId = id(&number)?;
    let crm = &visitor.app.crm;
    let customer = match crm.delete_message(&form.by.actor, message).await {
        Ok(customer) => customer,
        // Somebody was faster; the page may still show it.
        Err(Error::NotFound(_)) => {
            let customer = crm.customer_of_message(&form.by.actor, message).await?;
            let notice = Some(("message_already_deleted", Some(message.get())));
            return Ok(visitor.redirect(&links::customer(customer.get()), notice));
        }
        Err(error) => return Err(error.into()),
    };
    Ok(visitor.redirect(
        &links::customer(customer.get()),
        Some(("message_deleted", Some(message.get()))),
    ))
}

#[handler]
async fn restore(
    visitor: Visitor,
    Path(number): Path<String>,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    let message: ActivityId = id(&number)?;
    let crm = &visitor.app.crm;
    let customer = match crm.restore_message(&form.by.actor, message).await {
        // It is back already.
        Err(Error::NotFound(_)) => crm.customer_of_message(&form.by.actor, message).await,
        outcome => outcome,
    }?;
    Ok(visitor.redirect(&links::customer(customer.get()), Some(("message_restored", None))))
}

#[handler]
async fn check(visitor: Visitor, by: Signed, Path(user): Path<String>) -> Result<Response, Failure> {
    let texts = crate::i18n::catalogue(visitor.language);
    let unknown = || Sentence::error(&Error::NotFound("customer")).words(texts);
    let found = match LineUserId::new(&user) {
        Ok(Some(user)) => visitor.app.crm.check_customer(&by.actor, user).await,
        _ => Err(Error::NotFound("customer")),
    };
    match found {
        Ok(check) => {
            for line in &check.customers {
                let looked = Looked::Customer(line.customer.id);
                visitor.app.crm.note_reading(&by.actor, looked);
            }
            let recent: Vec<Value> = check.recent.iter().map(activity_json).collect();
            let customers: Vec<Value> = check.customers.into_iter().map(customer_json).collect();
            let body =
                json!({"customer": customers.first(), "customers": customers, "recent_activities": recent});
            Ok(answer(StatusCode::OK, &body))
        }
        Err(Error::NotFound(_)) => Ok(answer(StatusCode::NOT_FOUND, &json!({"error": unknown()}))),
        Err(error) => Err(error.into()),
    }
}

/// A message for programs, under the names of its table.
pub(super) fn activity_json(message: &Activity) -> Value {
    json!({
        "id": message.id,
        "customer_id": message.customer_id,
        "message": message.plain_text(),
        "timestamp": message.timestamp.to_string(),
        "direction": message.direction.code(),
        "kind": message.kind.code(),
        "state": message.send_state().map(SendState::code),
    })
}

/// A customer for programs.
pub(super) fn customer_json(line: CustomerLine) -> Value {
    Customer::from(line).to_json().unwrap_or_default()
}

/// A JSON body.
pub(super) fn answer(status: StatusCode, body: &Value) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .body(body.to_string())
}
