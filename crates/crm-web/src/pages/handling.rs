//! Taking, releasing, handing over and closing a conversation: buttons of the board and of the conversation.

use crm_domain::conversations::ConversationId;
use crm_domain::error::Error;
use crm_domain::permissions::Action;
use crm_domain::values::{MessageText, Problem};
use poem::http::{HeaderMap, StatusCode};
use poem::web::Path;
use poem::{Response, Route, get, handler, post};
use serde::Deserialize;
use serde_json::json;

use super::activities::answer;
use super::id;
use super::sends::wants_json;
use crate::auth::{Nothing, Protected, Signed, Visitor, referring_page, safe_next};
use crate::i18n::catalogue;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::sentence::Sentence;
use crate::views::handling::{Colleague, HandOverPage};
use crate::views::system::ErrorPage;

pub(super) fn mount(route: Route) -> Route {
    route
        .at("/conversation/:id/take", post(take))
        .at("/conversation/:id/release", post(release))
        .at("/conversation/:id/hand-over", get(ask_hand_over).post(hand_over))
        .at("/conversation/:id/close", post(close))
        .at("/conversation/:id/undo-close", post(undo_close))
        .at("/conversation/:id/read", post(read))
}

#[handler]
async fn take(
    visitor: Visitor,
    Path(number): Path<String>,
    headers: &HeaderMap,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    let conversation = id(&number)?;
    let outcome = visitor.app.crm.take_conversation(&form.by.actor, conversation);
    Told::new("taken", conversation).tell(&visitor, headers, outcome.await)
}

#[handler]
async fn release(
    visitor: Visitor,
    Path(number): Path<String>,
    headers: &HeaderMap,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    let conversation = id(&number)?;
    let outcome = visitor.app.crm.release_conversation(&form.by.actor, conversation);
    Told::new("released", conversation).tell(&visitor, headers, outcome.await)
}

#[handler]
async fn close(
    visitor: Visitor,
    Path(number): Path<String>,
    headers: &HeaderMap,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    let conversation = id(&number)?;
    let outcome = visitor.app.crm.close_conversation(&form.by.actor, conversation);
    Told::new("closed", conversation).tell(&visitor, headers, outcome.await)
}

#[handler]
async fn undo_close(
    visitor: Visitor,
    Path(number): Path<String>,
    headers: &HeaderMap,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    let conversation = id(&number)?;
    let outcome = visitor.app.crm.undo_closing(&form.by.actor, conversation);
    Told::new("closing_undone", conversation).tell(&visitor, headers, outcome.await)
}

#[handler]
async fn read(
    visitor: Visitor,
    Path(number): Path<String>,
    headers: &HeaderMap,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    let outcome = visitor.app.crm.mark_read(&form.by.actor, id(&number)?).await;
    if wants_json(headers) {
        outcome?;
        return Ok(answer(StatusCode::OK, &json!({"success": true, "message": ""})));
    }
    outcome?;
    Ok(visitor.redirect(back(headers), None))
}

#[handler]
async fn ask_hand_over(
    visitor: Visitor,
    by: Signed,
    Path(number): Path<String>,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let asked = HandOver {
        back: back(headers).to_owned(),
        ..HandOver::default()
    };
    draw(&visitor, &by, id(&number)?, &asked, None).await
}

/// What the form of handing over holds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct HandOver {
    to: String,
    note: String,
    back: String,
}

impl HandOver {
    fn note(&self) -> Result<Option<MessageText>, Error> {
        if self.note.trim().is_empty() {
            return Ok(None);
        }
        let note = MessageText::new(&self.note).map_err(|problem| Error::field("note", problem))?;
        Ok(Some(note))
    }
}

#[handler]
async fn hand_over(
    visitor: Visitor,
    Path(number): Path<String>,
    headers: &HeaderMap,
    Protected { by, data: asked }: Protected<HandOver>,
) -> Result<Response, Failure> {
    let conversation = id(&number)?;
    let outcome = match (asked.to.parse(), asked.note()) {
        (Ok(to), Ok(note)) => {
            let crm = &visitor.app.crm;
            crm.hand_over_conversation(&by.actor, conversation, to, note)
                .await
        }
        (Err(_), _) => Err(Error::field("to", Problem::Required)),
        (_, Err(error)) => Err(error),
    };
    match outcome {
        Err(error @ Error::Invalid(_)) if !wants_json(headers) => {
            draw(&visitor, &by, conversation, &asked, Some(&error)).await
        }
        outcome => {
            let told = Told::new("handed_over", conversation);
            told.back_to(&asked.back).tell(&visitor, headers, outcome)
        }
    }
}

async fn draw(
    visitor: &Visitor,
    by: &Signed,
    conversation: ConversationId,
    asked: &HandOver,
    error: Option<&Error>,
) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::HandleConversations)?;
    let colleagues = visitor.app.crm.takers_over(&by.actor, conversation).await?;
    let page = HandOverPage {
        id: conversation.get(),
        colleagues: colleagues
            .into_iter()
            .map(|(member, name)| Colleague {
                id: member.get(),
                name,
                me: member == by.member.id,
                chosen: member.to_string() == asked.to,
            })
            .collect(),
        note: asked.note.clone(),
        back: safe_next(&asked.back).to_owned(),
        error: error.map(Sentence::error),
    };
    let status = match error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    visitor.page(status, Menu::Board, &page)
}

/// The page on which a button was pressed.
fn back(headers: &HeaderMap) -> &str {
    safe_next(referring_page(headers).unwrap_or(links::HOME))
}

/// How the outcome of a button is told: as JSON to scripts, else on the page that follows.
struct Told<'a> {
    /// The notice `notice.<done>` of what was done.
    done: &'static str,
    conversation: ConversationId,
    back: Option<&'a str>,
}

impl<'a> Told<'a> {
    fn new(done: &'static str, conversation: ConversationId) -> Told<'a> {
        Told {
            done,
            conversation,
            back: None,
        }
    }

    fn back_to(self, path: &'a str) -> Told<'a> {
        Told {
            back: Some(safe_next(path)),
            ..self
        }
    }

    fn tell(
        self,
        visitor: &Visitor,
        headers: &HeaderMap,
        outcome: Result<(), Error>,
    ) -> Result<Response, Failure> {
        let number = self.conversation.get();
        match outcome {
            Ok(()) if wants_json(headers) => Ok(self.success(visitor)),
            Ok(()) => {
                let to = self.back.unwrap_or_else(|| back(headers));
                Ok(visitor.redirect(to, Some((self.done, Some(number)))))
            }
            Err(error) if wants_json(headers) => Ok(self.refusal(visitor, error)),
            Err(error @ (Error::HandledBy(_) | Error::Stale)) => {
                let page = ErrorPage {
                    kind: "409",
                    detail: Some(sentence(&error)),
                    request_id: None,
                    again: None,
                };
                visitor.page(StatusCode::CONFLICT, Menu::Board, &page)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn success(&self, visitor: &Visitor) -> Response {
        let number = self.conversation.get();
        let words = catalogue(visitor.language).text(&format!("notice.{}", self.done), &[]);
        let undo = (self.done == "closed")
            .then(|| links::by_name("conversation_undo_close", Some(number)))
            .flatten();
        let body = json!({"success": true, "message": words, "conversation": number, "undo": undo});
        answer(StatusCode::OK, &body)
    }

    fn refusal(&self, visitor: &Visitor, error: Error) -> Response {
        let words = sentence(&error).words(catalogue(visitor.language));
        let failure = Failure::from(error);
        let body = json!({
            "success": false, "message": words, "conversation": self.conversation.get(), "code": failure.code(),
        });
        answer(failure.status(), &body)
    }
}

/// A closing that cannot be undone any more was not saved by somebody else.
fn sentence(error: &Error) -> Sentence {
    match error {
        Error::Stale => Sentence::of("handling.too_late"),
        error => Sentence::error(error),
    }
}
