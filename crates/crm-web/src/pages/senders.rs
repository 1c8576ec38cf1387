//! Those who wrote and are no customers: the list, one of them, answering.

use crm_domain::conversations::ConversationId;
use crm_domain::error::Error;
use crm_domain::instant::Instant;
use crm_domain::permissions::Action;
use crm_domain::sends::SendState;
use crm_domain::use_cases::{Recipient, UnknownSender};
use crm_domain::values::LineUserId;
use poem::http::{HeaderMap, StatusCode};
use poem::web::{Path, Query};
use poem::{Response, Route, get, handler, post};
use serde::Deserialize;

use super::sends::{Written, send, tell, wants_json};
use super::{id, may, times};
use crate::auth::{Protected, Signed, Visitor};
use crate::format::Times;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::sentence::Sentence;
use crate::views::Pager;
use crate::views::senders::{
    Reader, RoomView, SenderComposer, SenderPage, SenderView, SendersPage, place_of,
};

/// Senders on a page.
const ROWS: usize = 20;

pub(super) fn mount(route: Route) -> Route {
    route
        .at(links::UNKNOWN_SENDERS, get(list))
        .at("/unknown-senders/:id", get(show))
        .at("/unknown-senders/:id/send", post(answer))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    /// The place at which the page before ended.
    before: String,
}

#[handler]
async fn list(visitor: Visitor, by: Signed, Query(query): Query<ListQuery>) -> Result<Response, Failure> {
    let before = match query.before.as_str() {
        "" => None,
        code => Some(place(code).ok_or(Failure::Parameter("before"))?),
    };
    let crm = &visitor.app.crm;
    let mut found = crm.unknown_senders(&by.actor, before, ROWS + 1).await?;
    let more = found.len() > ROWS;
    found.truncate(ROWS);
    let rooms = match before {
        None => crm.unknown_rooms(&by.actor).await?,
        Some(_) => Vec::new(),
    };
    let times = times(&visitor);
    let reader = reader(&by, &times);
    let next = found
        .last()
        .filter(|_| more)
        .and_then(|last| place_of(&last.line));
    let page = SendersPage {
        rows: found
            .iter()
            .map(|unknown| SenderView::of(unknown, &reader))
            .collect(),
        rooms: rooms.iter().map(|room| RoomView::of(room, &reader)).collect(),
        pager: Pager {
            next: next.map(|next| links::with_query(links::UNKNOWN_SENDERS, &[("before", &next)])),
            first: before.map(|_| links::UNKNOWN_SENDERS.to_owned()),
        },
        may_link: may(&by, Action::EditRecords),
    };
    visitor.page(StatusCode::OK, Menu::Senders, &page)
}

/// Reads what [`place_of`] wrote.
fn place(code: &str) -> Option<(Instant, ConversationId)> {
    let (millis, id) = code.split_once('.')?;
    Some((Instant::from_unix_millis(millis.parse().ok()?), id.parse().ok()?))
}

#[handler]
async fn show(visitor: Visitor, by: Signed, Path(number): Path<String>) -> Result<Response, Failure> {
    let talk = id(&number)?;
    if let Some(to) = customer_now(&visitor, &by, talk).await? {
        return Ok(visitor.redirect(&to, None));
    }
    let unknown = visitor.app.crm.unknown_sender(&by.actor, talk).await?;
    let composer = SenderComposer {
        key: visitor.app.secrets.token(),
        text: String::new(),
        error: None,
    };
    draw(&visitor, &by, &unknown, composer, StatusCode::OK)
}

/// The page of the customer to whom the conversation has come to belong.
pub(super) async fn customer_now(
    visitor: &Visitor,
    by: &Signed,
    talk: ConversationId,
) -> Result<Option<String>, Failure> {
    let customer = visitor.app.crm.customer_in_conversation(&by.actor, talk).await?;
    Ok(customer.map(|customer| links::customer(customer.get())))
}

fn draw(
    visitor: &Visitor,
    by: &Signed,
    unknown: &UnknownSender,
    composer: SenderComposer,
    status: StatusCode,
) -> Result<Response, Failure> {
    let page = SenderPage {
        sender: view(visitor, by, unknown),
        may_link: may(by, Action::EditRecords),
        composer,
    };
    visitor.page(status, Menu::Senders, &page)
}

/// One sender, for this reader.
pub(super) fn view(visitor: &Visitor, by: &Signed, unknown: &UnknownSender) -> SenderView {
    let times = times(visitor);
    SenderView::of(unknown, &reader(by, &times))
}

fn reader<'a>(by: &Signed, times: &'a Times) -> Reader<'a> {
    Reader {
        me: by.actor.member_id(),
        may_handle: may(by, Action::HandleConversations),
        times,
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    message: String,
    key: Option<String>,
    /// To whom, so that it arrives even if a customer has come to carry the id meanwhile.
    user_id: String,
}

/// Sends and keeps the message with the sender.
#[handler]
async fn answer(
    visitor: Visitor,
    Path(number): Path<String>,
    headers: &HeaderMap,
    Protected { by, data: typed }: Protected<Answer>,
) -> Result<Response, Failure> {
    let talk: ConversationId = id(&number)?;
    let crm = &visitor.app.crm;
    let unknown = match crm.unknown_sender(&by.actor, talk).await {
        Ok(unknown) => Some(unknown),
        Err(Error::NotFound(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let user = match &unknown {
        Some(unknown) => unknown.line.conversation.key.address.clone(),
        None => carried(&visitor, &by, &typed.user_id).await?.0,
    };
    let written = Written {
        message: typed.message,
        key: typed.key,
        ..Written::default()
    };
    let outcome = send(&visitor, &by, Recipient::User(user.clone()), &written).await;
    if wants_json(headers) {
        return Ok(tell(&visitor, outcome, Some(user.as_str())));
    }
    match (outcome, unknown) {
        (Ok(outcome), unknown) => {
            let notice = (outcome.state == SendState::Sent).then_some(("message_sent", None));
            let to = match unknown {
                Some(_) => links::unknown_sender(talk.get()),
                None => carried(&visitor, &by, user.as_str()).await?.1,
            };
            Ok(visitor.redirect(&to, notice))
        }
        (Err(error @ (Error::Invalid(_) | Error::Messenger(_))), Some(unknown)) => {
            let composer = SenderComposer {
                key: visitor.app.secrets.token(),
                text: written.message,
                error: Some(Sentence::error(&error)),
            };
            draw(&visitor, &by, &unknown, composer, Failure::from(error).status())
        }
        (Err(error), _) => Err(error.into()),
    }
}

/// A user id that a customer carries, and that customer's page.
async fn carried(visitor: &Visitor, by: &Signed, user: &str) -> Result<(LineUserId, String), Failure> {
    let nobody = || Failure::from(Error::NotFound("conversation"));
    let user = LineUserId::new(user).ok().flatten().ok_or_else(nobody)?;
    let known = visitor.app.crm.check_customer(&by.actor, user.clone()).await?;
    let first = known.customers.first().ok_or_else(nobody)?;
    Ok((user, links::customer(first.customer.id.get())))
}
