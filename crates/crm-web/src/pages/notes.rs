//! Notes (社内メモ): written on a customer's page for each other, never sent.

use crm_domain::customers::CustomerId;
use crm_domain::error::Error;
use crm_domain::values::MessageText;
use poem::http::{HeaderMap, StatusCode};
use poem::web::Path;
use poem::{Response, Route, handler, post};
use serde::Deserialize;
use serde_json::json;

use super::activities::answer;
use super::customers::{draw, older_talk};
use super::id;
use super::sends::wants_json;
use crate::auth::{Protected, Visitor};
use crate::i18n::catalogue;
use crate::links;
use crate::problem::Failure;
use crate::sentence::Sentence;
use crate::views::activities::Composer;

pub(super) fn mount(route: Route) -> Route {
    route.at("/customer/:id/note", post(write))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Written {
    message: String,
    key: Option<String>,
}

#[handler]
async fn write(
    visitor: Visitor,
    Path(number): Path<String>,
    headers: &HeaderMap,
    Protected { by, data: written }: Protected<Written>,
) -> Result<Response, Failure> {
    let customer: CustomerId = id(&number)?;
    let crm = &visitor.app.crm;
    let kept = match MessageText::new(&written.message) {
        Ok(text) => crm.write_note(&by.actor, customer, text, written.key).await,
        Err(problem) => Err(Error::field("message", problem)),
    };
    if wants_json(headers) {
        return Ok(tell(&visitor, kept));
    }
    match kept {
        Ok(()) => Ok(visitor.redirect(&links::customer(customer.get()), None)),
        Err(error @ Error::Invalid(_)) => {
            let line = crm.show_customer(&by.actor, customer).await?;
            let talk = older_talk(&visitor, &by, &line, "").await?;
            let composer = Composer::of(&line, visitor.language, visitor.app.secrets.token());
            let composer = composer.note_failed(written.message, Sentence::error(&error));
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

/// The outcome as JSON, shaped like that of a message; `kept` is the state of a note.
fn tell(visitor: &Visitor, kept: Result<(), Error>) -> Response {
    let texts = catalogue(visitor.language);
    let said = |sentence: Sentence| sentence.words(texts);
    match kept {
        Ok(()) => answer(
            StatusCode::OK,
            &json!({"success": true, "message": said(Sentence::of("notice.note_kept")), "state": "kept"}),
        ),
        Err(error) => {
            let words = said(Sentence::error(&error));
            let failure = Failure::from(error);
            let body = json!({"success": false, "message": words, "code": failure.code()});
            answer(failure.status(), &body)
        }
    }
}
