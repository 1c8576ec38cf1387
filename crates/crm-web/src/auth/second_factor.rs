//! The second half of signing in: a code of the authenticator app, or a recovery code.

use crm_domain::error::Error;
use poem::http::{HeaderMap, StatusCode};
use poem::web::Query;
use poem::{Response, Route, get, handler};
use serde::Deserialize;

use super::cookies::{PENDING, cookie, expired_cookie};
use super::next::safe_next;
use super::pages::{Aim, welcome};
use super::protected::Open;
use super::visitor::Visitor;
use crate::forms::FormState;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::sentence::Sentence;
use crate::views::factors::{CODE_FIELDS, LoginCodePage};

/// Adds the address of the second factor.
pub(super) fn mount(route: Route) -> Route {
    route.at(links::SECOND_FACTOR, get(show).post(prove))
}

#[handler]
#[expect(clippy::needless_pass_by_value, reason = "poem hands over what it extracts")]
fn show(visitor: Visitor, Query(aim): Query<Aim>, headers: &HeaderMap) -> Result<Response, Failure> {
    if cookie(headers, PENDING).is_none_or(str::is_empty) {
        return Ok(visitor.redirect(links::LOGIN, None));
    }
    let page = LoginCodePage {
        form: FormState::of(&CODE_FIELDS),
        next: safe_next(&aim.next).to_owned(),
    };
    visitor.page(StatusCode::OK, Menu::None, &page)
}

#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

#[handler]
async fn prove(visitor: Visitor, headers: &HeaderMap, Open(typed): Open<Typed>) -> Result<Response, Failure> {
    let pending = cookie(headers, PENDING).unwrap_or_default();
    let next = safe_next(&typed.next);
    let device = visitor.device.clone();
    match visitor.app.crm.prove_factor(pending, &typed.code, device).await {
        Ok((secret, member)) => {
            let mut response = welcome(&visitor, &secret, &member, next).await?;
            expired_cookie(&mut response, PENDING, visitor.https);
            Ok(response)
        }
        Err(Error::SignInOver) => {
            let mut response = visitor.redirect(links::LOGIN, Some(("sign_in_over", None)));
            expired_cookie(&mut response, PENDING, visitor.https);
            Ok(response)
        }
        Err(error @ (Error::Invalid(_) | Error::TooManySignIns { .. })) => refuse(&visitor, error, next),
        Err(error) => Err(error.into()),
    }
}

/// The page again. What was typed is not: a code is good for one try.
fn refuse(visitor: &Visitor, error: Error, next: &str) -> Result<Response, Failure> {
    let mut form = FormState::of(&CODE_FIELDS);
    match &error {
        Error::Invalid(_) => form.refuse_with(&error),
        _ => form.refuse_all(Sentence::error(&error)),
    }
    let failure = Failure::from(error);
    let page = LoginCodePage {
        form,
        next: next.to_owned(),
    };
    let mut response = visitor.page(failure.status(), Menu::None, &page)?;
    failure.add_headers(&mut response);
    Ok(response)
}
