//! Sending: from the conversation, from the large page, and for any user id (§5.3).

use crm_domain::customers::{CustomerId, CustomerLine};
use crm_domain::error::Error;
use crm_domain::permissions::Action;
use crm_domain::sends::{SendId, SendState};
use crm_domain::use_cases::Recipient;
use crm_domain::values::{LineUserId, MessageText, Problem};
use poem::http::{HeaderMap, StatusCode, header};
use poem::web::Path;
use poem::{Response, Route, get, handler, post};
use serde::Deserialize;
use serde_json::json;

use super::activities::answer;
use super::customers::{MESSAGES, drafted, draw, older_talk};
use super::{asking, id, times};
use crate::auth::{Protected, Signed, Visitor};
use crate::i18n::catalogue;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::sentence::Sentence;
use crate::views::LinkView;
use crate::views::activities::{Composer, SendMessagePage, Who};
use crate::workers::{self, Outcome};

pub(super) fn mount(route: Route) -> Route {
    route
        .at("/customer/:id/send", get(lead_back).post(quick))
        .at("/send-message", post(to_user))
        .at("/send-message/:id", get(show_large).post(large))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Written {
    pub(super) message: String,
    pub(super) key: Option<String>,
    /// The failed message that this one takes the place of.
    pub(super) replaces: String,
    /// The newest message that the writer saw.
    pub(super) seen: String,
    /// Whether the writer was asked and wants it sent.
    pub(super) anyway: String,
}

/// Queues what was written and waits a little for the outcome.
pub(super) async fn send(
    visitor: &Visitor,
    by: &Signed,
    to: Recipient,
    written: &Written,
) -> Result<Outcome, Error> {
    let text = MessageText::new(&written.message).map_err(|problem| Error::field("message", problem))?;
    let key = written.key.clone();
    match (to, written.replaces.as_str()) {
        (Recipient::Customer(customer), replaces) if !replaces.is_empty() => {
            let replaces = replaces
                .parse()
                .map_err(|_| Error::field("replaces", Problem::Malformed))?;
            workers::resend(&visitor.app, &by.actor, customer, text, key, replaces).await
        }
        (to, _) => workers::send(&visitor.app, &by.actor, to, text, key).await,
    }
}

/// Whether a script of ours, or a program, wants to know rather than see.
pub(super) fn wants_json(headers: &HeaderMap) -> bool {
    let accepts = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    accepts.contains("application/json") || headers.contains_key("x-csrf-token")
}

/// Whoever opens the address of a form comes to the page on which it stands.
#[handler]
#[expect(clippy::needless_pass_by_value, reason = "extractors come by value")]
fn lead_back(visitor: Visitor, _by: Signed, Path(number): Path<String>) -> Result<Response, Failure> {
    let customer: CustomerId = id(&number)?;
    Ok(visitor.redirect(&links::customer(customer.get()), None))
}

#[handler]
async fn quick(
    visitor: Visitor,
    Path(number): Path<String>,
    headers: &HeaderMap,
    Protected { by, data: written }: Protected<Written>,
) -> Result<Response, Failure> {
    let customer: CustomerId = id(&number)?;
    if let Some(question) = asking::question(&visitor, &by, customer, &written).await? {
        if wants_json(headers) {
            return Ok(asking::tell(&question));
        }
        let line = visitor.app.crm.show_customer(&by.actor, customer).await?;
        let talk = older_talk(&visitor, &by, &line, "").await?;
        let composer = asked(&visitor, &line, written, question);
        return draw(&visitor, &by, &line, talk, composer, StatusCode::CONFLICT).await;
    }
    let outcome = send(&visitor, &by, Recipient::Customer(customer), &written).await;
    drop_draft(&visitor, &by, customer, &written, &outcome).await;
    if wants_json(headers) {
        return Ok(tell(&visitor, outcome, None));
    }
    match outcome {
        // What became of it stands beside the message.
        Ok(_) => Ok(visitor.redirect(&links::customer(customer.get()), None)),
        Err(Error::Stale) => {
            let notice = Some(("message_already_resent", None));
            Ok(visitor.redirect(&links::customer(customer.get()), notice))
        }
        Err(error @ (Error::Invalid(_) | Error::NoAddress | Error::Messenger(_) | Error::UnderWay(_))) => {
            let line = visitor.app.crm.show_customer(&by.actor, customer).await?;
            let talk = older_talk(&visitor, &by, &line, "").await?;
            let composer = again(&visitor, &line, written, Sentence::error(&error));
            draw(
                &visitor,
                &by,
                &line,
                talk,
                composer,
                Failure::from(error).status(),
            )
            .await
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ToUser {
    user_id: String,
    message: String,
    key: Option<String>,
}

#[handler]
async fn to_user(
    visitor: Visitor,
    Protected { by, data: asked }: Protected<ToUser>,
) -> Result<Response, Failure> {
    let ToUser {
        user_id,
        message,
        key,
    } = asked;
    let user = match LineUserId::new(&user_id) {
        Ok(Some(user)) => Ok(user),
        Ok(None) => Err(Error::field("userId", Problem::Required)),
        Err(problem) => Err(Error::field("userId", problem)),
    };
    let outcome = match user {
        Ok(user) => {
            let written = Written {
                message,
                key,
                ..Written::default()
            };
            send(&visitor, &by, Recipient::User(user), &written).await
        }
        Err(error) => Err(error),
    };
    Ok(tell(&visitor, outcome, Some(&user_id)))
}

/// Every outcome as JSON, with the state of the message if there is one. A message on its way counts as taken: it is on
/// disk.
pub(super) fn tell(visitor: &Visitor, outcome: Result<Outcome, Error>, user_id: Option<&str>) -> Response {
    let texts = catalogue(visitor.language);
    let state = outcome.as_ref().ok().map(|outcome| outcome.state.code());
    let number = outcome.as_ref().ok().map(|outcome| outcome.id);
    let (status, success, words) = match outcome {
        Ok(outcome) => {
            let (status, success, sentence) = judge(&outcome);
            let waits = waiting(visitor, &outcome);
            (status, success, waits.unwrap_or_else(|| sentence.words(texts)))
        }
        Err(error) => {
            let sentence = match error {
                Error::Stale => Sentence::of("notice.message_already_resent"),
                ref error => Sentence::error(error),
            };
            let words = sentence.words(texts);
            (Failure::from(error).status(), false, words)
        }
    };
    let mut body = json!({"success": success, "message": words, "state": state, "send": number});
    if let Some(user_id) = user_id {
        body["userId"] = json!(user_id);
    }
    answer(status, &body)
}

/// That a message waits after a try in vain, why, and until when.
fn waiting(visitor: &Visitor, outcome: &Outcome) -> Option<String> {
    let texts = catalogue(visitor.language);
    let time = times(visitor).clock(outcome.next_try_at?);
    let why = outcome.problem.map(Sentence::send_waits);
    let why = why.map(|why| why.words(texts)).unwrap_or_default();
    let next = texts.text("talk.next_try", &[("time", &time)]);
    Some(texts.text("send_result.waiting", &[("why", &why), ("next", &next)]))
}

fn judge(outcome: &Outcome) -> (StatusCode, bool, Sentence) {
    let why = |fallback: &str| {
        outcome
            .problem
            .map_or_else(|| Sentence::of(fallback), Sentence::send_problem)
    };
    match outcome.state {
        SendState::Sent => (StatusCode::OK, true, Sentence::of("notice.message_sent")),
        SendState::Queued | SendState::Sending => {
            (StatusCode::ACCEPTED, true, Sentence::of("send_result.queued"))
        }
        SendState::Failed => (StatusCode::CONFLICT, false, why("send_result.unconfirmed")),
        SendState::Unknown => (StatusCode::ACCEPTED, false, why("send_result.unconfirmed")),
    }
}

/// What is on its way is no draft any more.
async fn drop_draft(
    visitor: &Visitor,
    by: &Signed,
    customer: CustomerId,
    written: &Written,
    outcome: &Result<Outcome, Error>,
) {
    let left = outcome
        .as_ref()
        .is_ok_and(|outcome| outcome.state != SendState::Failed);
    if !left || by.session.is_none() {
        return;
    }
    let dropped = visitor
        .app
        .crm
        .drop_draft(&by.actor, customer, written.message.clone());
    if let Err(error) = dropped.await {
        tracing::warn!("the draft of a message that was sent stays: {error}");
    }
}

/// The field with what was written, and what its writer is asked; the key stays, so that it is sent once.
fn asked(visitor: &Visitor, line: &CustomerLine, written: Written, question: String) -> Composer {
    let key = written.key.unwrap_or_else(|| visitor.app.secrets.token());
    let composer = Composer::of(line, visitor.language, key);
    Composer {
        text: written.message,
        replaces: written.replaces.parse().ok(),
        question: Some(question),
        ..composer
    }
}

/// The field with what was written, and why it was not sent.
fn again(visitor: &Visitor, line: &CustomerLine, written: Written, why: Sentence) -> Composer {
    let key = visitor.app.secrets.token();
    Composer::of(line, visitor.language, key).failed(written.message, why)
}

#[handler]
async fn show_large(visitor: Visitor, by: Signed, Path(number): Path<String>) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::SendMessages)?;
    let line = visitor.app.crm.show_customer(&by.actor, id(&number)?).await?;
    let composer = drafted(&visitor, &by, &line).await?;
    let seen = newest(&visitor, &by, line.customer.id).await?;
    draw_large(&visitor, &line, Composer { seen, ..composer }, StatusCode::OK)
}

#[handler]
async fn large(
    visitor: Visitor,
    Path(number): Path<String>,
    headers: &HeaderMap,
    Protected { by, data: written }: Protected<Written>,
) -> Result<Response, Failure> {
    let line = visitor.app.crm.show_customer(&by.actor, id(&number)?).await?;
    let customer = line.customer.id;
    if let Some(question) = asking::question(&visitor, &by, customer, &written).await? {
        if wants_json(headers) {
            return Ok(asking::tell(&question));
        }
        let seen = newest(&visitor, &by, customer).await?;
        let composer = asked(&visitor, &line, written, question);
        return draw_large(
            &visitor,
            &line,
            Composer { seen, ..composer },
            StatusCode::CONFLICT,
        );
    }
    let outcome = send(&visitor, &by, Recipient::Customer(customer), &written).await;
    drop_draft(&visitor, &by, customer, &written, &outcome).await;
    if wants_json(headers) {
        return Ok(tell(&visitor, outcome, None));
    }
    let (status, why, replaces) = match outcome {
        Ok(outcome) if outcome.state == SendState::Failed => {
            let (status, _, why) = judge(&outcome);
            (status, why, shown_as(&visitor, &by, customer, outcome.id).await?)
        }
        Ok(outcome) => {
            let notice = (outcome.state == SendState::Sent).then_some(("message_sent", None));
            return Ok(visitor.redirect(&links::customer(customer.get()), notice));
        }
        Err(error @ (Error::Invalid(_) | Error::NoAddress | Error::Messenger(_) | Error::UnderWay(_))) => {
            let why = Sentence::error(&error);
            let replaces = written.replaces.parse().ok();
            (Failure::from(error).status(), why, replaces)
        }
        Err(Error::Stale) => {
            let why = Sentence::of("notice.message_already_resent");
            (StatusCode::CONFLICT, why, None)
        }
        Err(error) => return Err(error.into()),
    };
    let composer = again(&visitor, &line, written, why);
    let seen = newest(&visitor, &by, customer).await?;
    let composer = Composer {
        replaces,
        seen,
        ..composer
    };
    draw_large(&visitor, &line, composer, status)
}

/// The newest message of the customer's page; 0 when there is none.
async fn newest(visitor: &Visitor, by: &Signed, customer: CustomerId) -> Result<i64, Failure> {
    let found = visitor.app.crm.conversation(&by.actor, customer, None, MESSAGES);
    let ids = found.await?.into_iter().map(|message| message.id.get());
    Ok(ids.max().unwrap_or_default())
}

/// The number under which a message just sent stands on the customer's page.
async fn shown_as(
    visitor: &Visitor,
    by: &Signed,
    customer: CustomerId,
    send: SendId,
) -> Result<Option<i64>, Failure> {
    let newest = visitor.app.crm.conversation(&by.actor, customer, None, MESSAGES);
    let shown = newest.await?.into_iter().find(|message| {
        let sending = message.sending.as_ref();
        sending.is_some_and(|sending| sending.id == send)
    });
    Ok(shown.map(|message| message.id.get()))
}

fn draw_large(
    visitor: &Visitor,
    record: &CustomerLine,
    composer: Composer,
    status: StatusCode,
) -> Result<Response, Failure> {
    let link = LinkView::of(record.link, &times(visitor));
    let page = SendMessagePage {
        who: Who::of(record),
        link,
        composer,
    };
    visitor.page(status, Menu::Customers, &page)
}
