//! One's own settings: password, second factor, language, sessions, tokens.

use crm_domain::error::Error;
use crm_domain::members::Locale;
use poem::http::StatusCode;
use poem::{Response, Route, get, handler, post};
use serde::Deserialize;

use super::{sessions, times, tokens};
use crate::auth::{Protected, Signed, Visitor};
use crate::forms::FormState;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::sentence::Sentence;
use crate::views::members::{MePage, PASSWORD_FIELDS};
use crate::views::tokens::Tokens;

pub(super) fn mount(route: Route) -> Route {
    route
        .at(links::ME, get(show))
        .at("/me/language", post(choose_language))
        .at("/me/password", post(change_password))
}

#[handler]
async fn show(visitor: Visitor, by: Signed) -> Result<Response, Failure> {
    let tokens = tokens::own(&visitor, &by, None).await?;
    draw(&visitor, &by, None, tokens, StatusCode::OK).await
}

/// The whole page, with the form of the password and that of a token as they stand.
pub(super) async fn draw(
    visitor: &Visitor,
    by: &Signed,
    form: Option<FormState>,
    tokens: Tokens,
    status: StatusCode,
) -> Result<Response, Failure> {
    let crm = &visitor.app.crm;
    let factor = crm.factor_status(&by.actor).await?;
    let teams = crm.own_teams(&by.actor).await?;
    let page = MePage {
        name: by.member.name.clone(),
        email: by.member.email.as_str().to_owned(),
        role: by.member.role.code(),
        teams: teams.into_iter().map(|team| team.name).collect(),
        language: by.member.locale.map(Locale::code).unwrap_or_default(),
        has_password: by.member.has_password,
        form: form.unwrap_or_else(|| FormState::of(&PASSWORD_FIELDS)),
        factor: factor.since.map(|since| times(visitor).full_day(since)),
        codes_left: factor.recovery_codes_left,
        sessions: sessions::own(visitor, by).await?,
        tokens,
    };
    visitor.page(status, Menu::Me, &page)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Choice {
    language: String,
}

#[handler]
async fn choose_language(
    visitor: Visitor,
    Protected { by, data: choice }: Protected<Choice>,
) -> Result<Response, Failure> {
    let locale = Locale::from_code(&choice.language);
    visitor.app.crm.choose_locale(&by.actor, locale).await?;
    Ok(visitor.redirect(links::ME, Some(("language_changed", None))))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Passwords {
    current_password: String,
    new_password: String,
}

#[handler]
async fn change_password(
    visitor: Visitor,
    Protected { by, data: typed }: Protected<Passwords>,
) -> Result<Response, Failure> {
    let session = by.session.as_deref().unwrap_or_default();
    let (current, new) = (typed.current_password.as_str(), typed.new_password.as_str());
    let crm = &visitor.app.crm;
    let changed = crm.change_own_password(&by.actor, session, current, new);
    match changed.await {
        Ok(()) => {
            let changed = visitor.redirect(links::ME, Some(("password_changed", None)));
            visitor.renew_session(&by, changed).await
        }
        Err(error @ (Error::Invalid(_) | Error::TooManySignIns { .. })) => {
            let mut form = FormState::of(&PASSWORD_FIELDS);
            match &error {
                Error::Invalid(_) => form.refuse_as(&error, &[("password", "new_password")]),
                _ => form.refuse_all(Sentence::error(&error)),
            }
            let failure = Failure::from(error);
            let tokens = tokens::own(&visitor, &by, None).await?;
            let mut response = draw(&visitor, &by, Some(form), tokens, failure.status()).await?;
            failure.add_headers(&mut response);
            Ok(response)
        }
        Err(error) => Err(error.into()),
    }
}
