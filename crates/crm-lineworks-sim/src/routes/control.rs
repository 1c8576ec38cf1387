//! `/sim/…`: playing the customer and planning faults over plain HTTP. No part of LINE WORKS.

use crate::answers::{Refusal, json_answer};
use crate::callbacks::{self, Signing};
use crate::error::SimError;
use crate::faults::{Endpoint, Fault};
use crate::form;
use crate::json_body::{self, JSON_LIMIT};
use crate::outbox::{Recipient, SentMessage};
use crate::state::Shared;
use crate::{callbacks::Event, delivery};
use poem::http::StatusCode;
use poem::web::Data;
use poem::{Body, Request, Response, handler};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use time::format_description::well_known::Rfc3339;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CallbackRequest {
    /// Who speaks; with `text`.
    user_id: Option<String>,
    text: Option<String>,
    /// The hidden payload of a tapped button.
    postback: Option<String>,
    /// Instead of the above: a whole event, posted as it is.
    event: Option<Value>,
    #[serde(default)]
    signature: SignatureWord,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
enum SignatureWord {
    #[default]
    Right,
    Wrong,
    Missing,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FaultRequest {
    #[serde(default)]
    endpoint: EndpointWord,
    /// How many requests it is for; all until cleared, if it is not said.
    count: Option<usize>,
    fault: FaultWord,
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    millis: u64,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
enum EndpointWord {
    Token,
    Send,
    Users,
    Files,
    #[default]
    All,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum FaultWord {
    Status,
    Slow,
    CutBeforeResponse,
    CutAfterDoing,
    CutAfterHeaders,
    GarbageBody,
    ExpireTokens,
}

#[handler]
pub(super) async fn send_callback(
    Data(shared): Data<&Arc<Shared>>,
    request: &Request,
    body: Body,
) -> Response {
    let asked = match read::<CallbackRequest>(request, body).await {
        Ok(asked) => asked,
        Err(refusal) => return refusal.into_response(),
    };
    let signing = match asked.signature {
        SignatureWord::Right => Signing::Right,
        SignatureWord::Wrong => Signing::Wrong,
        SignatureWord::Missing => Signing::Missing,
    };
    let delivered = match (asked.event, asked.user_id, asked.text) {
        (Some(event), None, None) => delivery::post(shared, event.to_string().into_bytes(), &signing).await,
        (None, Some(user), Some(text)) => {
            delivery::deliver(shared, &spoken(&user, &text, asked.postback.as_deref()), &signing).await
        }
        _ => return Refusal::invalid("Give userId and text, or event.").into_response(),
    };
    match delivered {
        Ok(done) => json_answer(
            StatusCode::OK,
            &json!({"status": done.status, "millis": done.millis}),
        ),
        Err(error) => undelivered(&error),
    }
}

fn spoken(user_id: &str, text: &str, postback: Option<&str>) -> Event {
    match postback {
        Some(postback) => callbacks::text_with_postback(user_id, text, postback),
        None => callbacks::text(user_id, text),
    }
}

fn undelivered(error: &SimError) -> Response {
    let status = match error {
        SimError::NoCallbackUrl => StatusCode::CONFLICT,
        _ => StatusCode::BAD_GATEWAY,
    };
    json_answer(
        status,
        &json!({"code": "NOT_DELIVERED", "description": error.to_string()}),
    )
}

/// What the bot sent: `?userId=` to one member, `?after=` only messages with a higher number.
#[handler]
pub(super) fn messages(Data(shared): Data<&Arc<Shared>>, request: &Request) -> Response {
    let query = |wanted: &str| {
        let pairs = request.uri().query().unwrap_or_default().split('&');
        let mut values = pairs
            .filter_map(|pair| pair.split_once('='))
            .filter(|(name, _)| *name == wanted);
        values
            .next()
            .and_then(|(_, value)| form::decode(&value.replace('+', " ")))
    };
    let (user, after) = (
        query("userId"),
        query("after")
            .and_then(|text| text.parse::<u64>().ok())
            .unwrap_or(0),
    );
    let wanted = |message: &SentMessage| {
        message.number > after && user.as_deref().is_none_or(|user| message.is_to_user(user))
    };
    let list: Vec<Value> = shared.lock().outbox.list(wanted).iter().map(shown).collect();
    json_answer(StatusCode::OK, &json!({"messages": list}))
}

fn shown(message: &SentMessage) -> Value {
    let (to, id) = match &message.to {
        Recipient::User(id) => ("userId", id),
        Recipient::Channel(id) => ("channelId", id),
    };
    let at = message.at.format(&Rfc3339).unwrap_or_default();
    json!({"number": message.number, "at": at, to: id, "content": message.content})
}

#[handler]
pub(super) async fn plan_fault(Data(shared): Data<&Arc<Shared>>, request: &Request, body: Body) -> Response {
    let asked = match read::<FaultRequest>(request, body).await {
        Ok(asked) => asked,
        Err(refusal) => return refusal.into_response(),
    };
    let endpoint = match asked.endpoint {
        EndpointWord::Token => Endpoint::Token,
        EndpointWord::Send => Endpoint::Send,
        EndpointWord::Users => Endpoint::Users,
        EndpointWord::Files => Endpoint::Files,
        EndpointWord::All => Endpoint::All,
    };
    let count = asked.count;
    let fault = fault(asked);
    let mut state = shared.lock();
    match count {
        Some(times) => state.faults.fail_next(endpoint, times, fault),
        None => state.faults.always(endpoint, fault),
    }
    StatusCode::NO_CONTENT.into()
}

fn fault(asked: FaultRequest) -> Fault {
    match asked.fault {
        FaultWord::Status => status_fault(asked.status.unwrap_or(500), asked.body, asked.headers),
        FaultWord::Slow => Fault::Slow(Duration::from_millis(asked.millis)),
        FaultWord::CutBeforeResponse => Fault::CutBeforeResponse,
        FaultWord::CutAfterDoing => Fault::CutAfterDoing,
        FaultWord::CutAfterHeaders => Fault::CutAfterHeaders,
        FaultWord::GarbageBody => Fault::GarbageBody,
        FaultWord::ExpireTokens => Fault::ExpireTokens,
    }
}

fn status_fault(code: u16, text: Option<String>, more: BTreeMap<String, String>) -> Fault {
    let mut fault = more
        .into_iter()
        .fold(Fault::status(code), |fault, (name, value)| {
            fault.with_header(name, value)
        });
    if let (Some(text), Fault::Status { body, .. }) = (text, &mut fault) {
        *body = text;
    }
    fault
}

#[handler]
pub(super) fn clear_faults(Data(shared): Data<&Arc<Shared>>) -> Response {
    shared.lock().faults.clear();
    StatusCode::NO_CONTENT.into()
}

/// JSON by its content type too, so that no web page elsewhere can post here with a form.
pub(super) async fn read<T: serde::de::DeserializeOwned>(
    request: &Request,
    body: Body,
) -> Result<T, Refusal> {
    let bytes = json_body::read(body, JSON_LIMIT).await?;
    let object = json_body::object(request.headers(), &bytes)?;
    serde_json::from_value(Value::Object(object)).map_err(|error| Refusal::invalid(error.to_string()))
}
