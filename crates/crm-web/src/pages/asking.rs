//! Asking once before sending: somebody else has the conversation, or has answered since the writer looked.

use crm_domain::activities::ActivityId;
use crm_domain::customers::CustomerId;
use crm_domain::error::Error;
use crm_domain::use_cases::Elsewhere;
use crm_domain::values::MessageText;
use poem::Response;
use poem::http::StatusCode;
use serde_json::json;

use super::activities::answer;
use super::sends::Written;
use super::times;
use crate::auth::{Signed, Visitor};
use crate::i18n::catalogue;

/// What the writer is to be asked before this is sent; programs, and who has answered already, are not asked.
pub(super) async fn question(
    visitor: &Visitor,
    by: &Signed,
    customer: CustomerId,
    written: &Written,
) -> Result<Option<String>, Error> {
    let settled = !matches!(written.anyway.as_str(), "" | "0");
    if settled || by.session.is_none() || MessageText::new(&written.message).is_err() {
        return Ok(None);
    }
    let seen = written.seen.trim().parse::<i64>().ok().map(ActivityId::new);
    let crm = &visitor.app.crm;
    let elsewhere = crm.answered_elsewhere(&by.actor, customer, seen).await?;
    let texts = catalogue(visitor.language);
    Ok(elsewhere.map(|elsewhere| match elsewhere {
        Elsewhere::Handled { by } => texts.text("asking.handled", &[("name", &by)]),
        Elsewhere::Answered { by, at } => {
            let time = times(visitor).short(at);
            texts.text("asking.answered", &[("name", &by), ("time", &time)])
        }
    }))
}

/// The question for a script, which repeats the request with `anyway=1` when the answer is yes.
pub(super) fn tell(question: &str) -> Response {
    let body = json!({"success": false, "code": "handled_by_other", "message": question});
    answer(StatusCode::CONFLICT, &body)
}
