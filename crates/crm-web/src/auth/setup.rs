//! The first start: whoever reads the terminal becomes the first administrator.

use crm_domain::error::Error;
use crm_domain::use_cases::SetupForm;
use poem::http::StatusCode;
use poem::web::Path;
use poem::{Response, Route, get, handler};
use serde::Deserialize;

use super::pages::welcome;
use super::protected::Open;
use super::visitor::Visitor;
use crate::forms::FormState;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::views::setup::{SETUP_FIELDS, SetupPage};

/// Adds the address of the first start.
pub(super) fn mount(route: Route) -> Route {
    route.at("/setup/:secret", get(show).post(make))
}

#[handler]
async fn show(visitor: Visitor, Path(secret): Path<String>) -> Result<Response, Failure> {
    draw(&visitor, &secret, FormState::of(&SETUP_FIELDS), StatusCode::OK).await
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Typed {
    member_name: String,
    email: String,
    new_password: String,
}

#[handler]
async fn make(
    visitor: Visitor,
    Path(secret): Path<String>,
    Open(typed): Open<Typed>,
) -> Result<Response, Failure> {
    let form = SetupForm {
        name: typed.member_name.clone(),
        email: typed.email.clone(),
        password: typed.new_password,
    };
    let device = visitor.device.clone();
    match visitor.app.crm.use_setup_link(&secret, form, device).await {
        Ok((session, member)) => welcome(&visitor, &session, &member, links::HOME).await,
        Err(error @ Error::Invalid(_)) => {
            let mut form = FormState::of(&SETUP_FIELDS)
                .with("member_name", typed.member_name)
                .with("email", typed.email);
            form.refuse_as(&error, &[("name", "member_name"), ("password", "new_password")]);
            draw(&visitor, &secret, form, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(Error::LinkSpent) => draw(&visitor, &secret, FormState::of(&SETUP_FIELDS), StatusCode::OK).await,
        Err(error) => Err(error.into()),
    }
}

/// Looking at the link does nothing, so that programs which fetch every link do not use it up.
async fn draw(
    visitor: &Visitor,
    secret: &str,
    form: FormState,
    status: StatusCode,
) -> Result<Response, Failure> {
    let valid = match visitor.app.crm.look_at_setup_link(secret).await {
        Ok(()) => true,
        Err(Error::LinkSpent) => false,
        Err(error) => return Err(error.into()),
    };
    let page = SetupPage {
        valid,
        action: links::setup(&links::encode(secret)),
        form,
    };
    let status = if valid { status } else { StatusCode::NOT_FOUND };
    visitor.page(status, Menu::None, &page)
}
