//! One's own settings: language and password.

use crm_domain::error::Error;
use crm_domain::members::{Locale, Member};
use poem::http::StatusCode;
use poem::{Response, Route, get, handler, post};
use serde::Deserialize;

use crate::auth::{Protected, Signed, Visitor};
use crate::forms::FormState;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::views::members::{MePage, PASSWORD_FIELDS};

pub(super) fn mount(route: Route) -> Route {
    route
        .at(links::ME, get(show))
        .at("/me/language", post(choose_language))
        .at("/me/password", post(change_password))
}

#[handler]
#[expect(clippy::needless_pass_by_value, reason = "extractors come by value")]
fn show(visitor: Visitor, by: Signed) -> Result<Response, Failure> {
    draw(
        &visitor,
        &by.member,
        FormState::of(&PASSWORD_FIELDS),
        StatusCode::OK,
    )
}

fn draw(
    visitor: &Visitor,
    member: &Member,
    form: FormState,
    status: StatusCode,
) -> Result<Response, Failure> {
    let page = MePage {
        name: member.name.clone(),
        email: member.email.as_str().to_owned(),
        role: member.role.code(),
        language: member.locale.map(Locale::code).unwrap_or_default(),
        has_password: member.has_password,
        form,
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
    match visitor
        .app
        .crm
        .change_own_password(&by.actor, session, current, new)
        .await
    {
        Ok(()) => Ok(visitor.redirect(links::ME, Some(("password_changed", None)))),
        Err(error @ Error::Invalid(_)) => {
            let mut form = FormState::of(&PASSWORD_FIELDS);
            form.refuse_with(&error);
            draw(&visitor, &by.member, form, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(error) => Err(error.into()),
    }
}
