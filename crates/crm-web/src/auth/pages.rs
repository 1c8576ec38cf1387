//! Signing in and out.

use std::time::Duration;

use crm_domain::error::Error;
use crm_domain::members::{LinkPurpose, Member};
use crm_domain::use_cases::{FACTOR_WAIT, SignInForm, SignInStep};
use poem::http::StatusCode;
use poem::web::{Path, Query};
use poem::{Response, Route, get, handler, post};
use serde::Deserialize;

use super::cookies::{PENDING, SESSION, expired_cookie, set_cookie};
use super::next::safe_next;
use super::protected::{Nothing, Open, Protected};
use super::visitor::Visitor;
use super::{second_factor, setup};
use crate::forms::FormState;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::sentence::Sentence;
use crate::views::members::{LOGIN_FIELDS, LoginPage, SignInLinkPage};

/// Adds the addresses of signing in and out.
pub fn mount(route: Route) -> Route {
    let route = route
        .at("/login", get(show_login).post(sign_in))
        .at("/logout", post(sign_out))
        .at("/link/:secret", get(show_link).post(use_link));
    setup::mount(second_factor::mount(route))
}

/// Where to go after signing in.
#[derive(Deserialize)]
pub(super) struct Aim {
    #[serde(default)]
    pub(super) next: String,
}

#[handler]
#[expect(clippy::needless_pass_by_value, reason = "poem hands over what it extracts")]
fn show_login(visitor: Visitor, Query(aim): Query<Aim>) -> Result<Response, Failure> {
    let next = safe_next(&aim.next);
    if visitor.signed.is_some() {
        return Ok(visitor.redirect(next, None));
    }
    let page = LoginPage {
        form: FormState::of(&LOGIN_FIELDS),
        next: next.to_owned(),
    };
    visitor.page(StatusCode::OK, Menu::None, &page)
}

#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

#[handler]
async fn sign_in(visitor: Visitor, Open(typed): Open<Typed>) -> Result<Response, Failure> {
    let next = safe_next(&typed.next);
    let known = visitor.browser.known_for(&visitor.app.keys, &typed.email);
    let form = SignInForm {
        email: typed.email.clone(),
        password: typed.password,
        known_browser: known.map(str::to_owned),
        device: visitor.device.clone(),
    };
    match visitor.app.crm.sign_in(form).await {
        Ok(step) => go_on(&visitor, step, next).await,
        Err(error @ (Error::SignInRefused | Error::TooManySignIns { .. })) => {
            let mut form = FormState::of(&LOGIN_FIELDS).with("email", typed.email);
            form.refuse_all(Sentence::error(&error));
            let failure = Failure::from(error);
            let page = LoginPage {
                form,
                next: next.to_owned(),
            };
            let mut response = visitor.page(failure.status(), Menu::None, &page)?;
            failure.add_headers(&mut response);
            Ok(response)
        }
        Err(error) => Err(error.into()),
    }
}

/// In, or on to the second factor.
async fn go_on(visitor: &Visitor, step: SignInStep, next: &str) -> Result<Response, Failure> {
    match step {
        SignInStep::Done { secret, member } => welcome(visitor, &secret, &member, next).await,
        SignInStep::FactorAsked { pending } => {
            let mut response = visitor.redirect(&links::second_factor(next), None);
            let life = Duration::from_secs(FACTOR_WAIT.whole_seconds().unsigned_abs());
            set_cookie(&mut response, PENDING, &pending, life, visitor.https);
            Ok(response)
        }
    }
}

/// Begins anew with the session's secret. What was there before ends, so that nobody can plant a session.
pub(super) async fn welcome(
    visitor: &Visitor,
    secret: &str,
    member: &Member,
    next: &str,
) -> Result<Response, Failure> {
    if let Some(old) = visitor
        .signed
        .as_ref()
        .and_then(|signed| signed.session.as_deref())
    {
        visitor.app.crm.sign_out(old).await?;
    }
    let mut response = visitor.redirect(next, None);
    visitor.keep_session(&mut response, secret);
    let mut browser = visitor.browser.clone();
    browser.remember(&visitor.app.keys, member.email.as_str());
    visitor.keep_browser(&mut response, &browser);
    tracing::info!(target: "crm_web::auth", "member {} signed in", member.id);
    Ok(response)
}

#[handler]
async fn sign_out(visitor: Visitor, form: Protected<Nothing>) -> Result<Response, Failure> {
    if let Some(secret) = &form.by.session {
        visitor.app.crm.sign_out(secret).await?;
    }
    let mut response = visitor.redirect(links::LOGIN, None);
    expired_cookie(&mut response, SESSION, visitor.https);
    Ok(response)
}

#[handler]
async fn show_link(visitor: Visitor, Path(secret): Path<String>) -> Result<Response, Failure> {
    draw_link(
        &visitor,
        &secret,
        FormState::of(&["new_password"]),
        StatusCode::OK,
    )
    .await
}

#[derive(Deserialize)]
struct Chosen {
    new_password: Option<String>,
}

#[handler]
async fn use_link(
    visitor: Visitor,
    Path(secret): Path<String>,
    Open(chosen): Open<Chosen>,
) -> Result<Response, Failure> {
    match visitor
        .app
        .crm
        .use_link(&secret, chosen.new_password.as_deref(), visitor.device.clone())
        .await
    {
        Ok(step) => go_on(&visitor, step, links::HOME).await,
        Err(Error::Invalid(errors)) => {
            let mut form = FormState::of(&["new_password"]);
            for error in &errors {
                form.refuse("new_password", Sentence::field(error));
            }
            draw_link(&visitor, &secret, form, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(Error::LinkSpent) => draw_link(&visitor, &secret, FormState::default(), StatusCode::OK).await,
        Err(error) => Err(error.into()),
    }
}

/// Looking at a link does nothing, so that programs which fetch every link in a chat do not use it up.
async fn draw_link(
    visitor: &Visitor,
    secret: &str,
    form: FormState,
    status: StatusCode,
) -> Result<Response, Failure> {
    let link = match visitor.app.crm.look_at_link(secret).await {
        Ok(link) => Some(link),
        Err(Error::LinkSpent) => None,
        Err(error) => return Err(error.into()),
    };
    let status = if link.is_some() {
        status
    } else {
        StatusCode::NOT_FOUND
    };
    let page = SignInLinkPage {
        valid: link.is_some(),
        ask_password: link
            .as_ref()
            .is_some_and(|(purpose, _)| *purpose == LinkPurpose::SetPassword),
        name: link.map(|(_, member)| member.name).unwrap_or_default(),
        action: format!("/link/{}", links::encode(secret)),
        form,
    };
    visitor.page(status, Menu::None, &page)
}
