//! Administration of members: list, add, change the role, close and open, make a link to sign in with.

use crm_domain::error::Error;
use crm_domain::members::{LinkPurpose, Member, MemberId, Role};
use crm_domain::permissions::Action;
use crm_domain::use_cases::MemberForm;
use crm_domain::values::Problem;
use poem::http::StatusCode;
use poem::web::Path;
use poem::{Response, Route, get, handler, post};
use serde::Deserialize;

use super::id;
use crate::auth::{Nothing, Protected, Signed, Visitor};
use crate::forms::FormState;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::views::Face;
use crate::views::members::{OneTimeLink, USER_FIELDS, UserRow, UsersPage};

pub(super) fn mount(route: Route) -> Route {
    route
        .at(links::USERS, get(list).post(add))
        .at("/admin/users/:id/role", post(change_role))
        .at("/admin/users/:id/link", post(make_link))
        .at("/admin/users/:id/disable", post(disable))
        .at("/admin/users/:id/enable", post(enable))
}

fn empty_form() -> FormState {
    FormState::of(&USER_FIELDS).with("role", Role::Member.code())
}

#[handler]
async fn list(visitor: Visitor, by: Signed) -> Result<Response, Failure> {
    draw(&visitor, &by, empty_form(), None, StatusCode::OK).await
}

async fn draw(
    visitor: &Visitor,
    by: &Signed,
    form: FormState,
    link: Option<OneTimeLink>,
    status: StatusCode,
) -> Result<Response, Failure> {
    let members = visitor.app.crm.list_members(&by.actor).await?;
    let page = UsersPage {
        rows: members.iter().map(|member| row(member, by.member.id)).collect(),
        roles: [Role::Member, Role::Admin].map(Role::code).to_vec(),
        form,
        link,
    };
    visitor.page(status, Menu::AdminUsers, &page)
}

fn row(member: &Member, reader: MemberId) -> UserRow {
    UserRow {
        id: member.id.get(),
        name: member.name.clone(),
        email: member.email.as_str().to_owned(),
        role: member.role.code(),
        disabled: member.disabled_at.is_some(),
        me: member.id == reader,
        face: Face::of(member.id.get(), &member.name),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NewUser {
    member_name: String,
    email: String,
    role: String,
}

impl NewUser {
    fn state(&self) -> FormState {
        FormState::of(&USER_FIELDS)
            .with("member_name", &self.member_name)
            .with("email", &self.email)
            .with("role", &self.role)
    }
}

#[handler]
async fn add(
    visitor: Visitor,
    Protected { by, data: typed }: Protected<NewUser>,
) -> Result<Response, Failure> {
    by.actor.may(Action::ManageMembers)?;
    let outcome = match Role::from_code(&typed.role) {
        Some(role) => {
            let (email, name) = (typed.email.clone(), typed.member_name.clone());
            visitor
                .app
                .crm
                .add_member(
                    &by.actor,
                    MemberForm {
                        email,
                        name,
                        role,
                        password: None,
                    },
                )
                .await
        }
        None => Err(Error::field("role", Problem::NotAChoice)),
    };
    match outcome {
        Ok(new) => {
            let link = one_time_link(&visitor, &by, new).await?;
            draw(&visitor, &by, empty_form(), Some(link), StatusCode::OK).await
        }
        Err(Error::Invalid(errors)) => {
            let mut form = typed.state();
            let named = errors.into_iter().map(|mut error| {
                if error.field == "name" {
                    error.field = "member_name";
                }
                error
            });
            form.refuse_with(&Error::Invalid(named.collect()));
            draw(&visitor, &by, form, None, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NewRole {
    role: String,
    /// The role that the page showed.
    seen: String,
}

#[handler]
async fn change_role(
    visitor: Visitor,
    Path(number): Path<String>,
    Protected { by, data: typed }: Protected<NewRole>,
) -> Result<Response, Failure> {
    by.actor.may(Action::ManageMembers)?;
    let role = Role::from_code(&typed.role).ok_or(Error::field("role", Problem::NotAChoice))?;
    let seen = Role::from_code(&typed.seen);
    let changed = visitor.app.crm.change_role(&by.actor, id(&number)?, seen, role);
    match changed.await {
        Err(Error::Stale) => {
            let mut form = empty_form();
            form.stale = true;
            draw(&visitor, &by, form, None, StatusCode::CONFLICT).await
        }
        outcome => {
            outcome?;
            Ok(visitor.redirect(links::USERS, Some(("user_changed", None))))
        }
    }
}

#[handler]
async fn make_link(
    visitor: Visitor,
    Path(number): Path<String>,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    let link = one_time_link(&visitor, &form.by, id(&number)?).await?;
    draw(&visitor, &form.by, empty_form(), Some(link), StatusCode::OK).await
}

/// The link is shown once and stored nowhere, so it is no redirect that shows it.
async fn one_time_link(visitor: &Visitor, by: &Signed, member: MemberId) -> Result<OneTimeLink, Failure> {
    let crm = &visitor.app.crm;
    let secret = crm.make_link(&by.actor, member, LinkPurpose::SetPassword).await?;
    let members = crm.list_members(&by.actor).await?;
    let name = members
        .into_iter()
        .find(|other| other.id == member)
        .map(|found| found.name);
    Ok(OneTimeLink {
        name: name.unwrap_or_default(),
        address: format!("{}/link/{secret}", visitor.app.settings.origins.first()),
    })
}

#[handler]
async fn disable(
    visitor: Visitor,
    Path(number): Path<String>,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    let member: MemberId = id(&number)?;
    visitor
        .app
        .crm
        .disable_member(&form.by.actor, member, true)
        .await?;
    Ok(visitor.redirect(links::USERS, Some(("user_disabled", Some(member.get())))))
}

#[handler]
async fn enable(
    visitor: Visitor,
    Path(number): Path<String>,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    visitor
        .app
        .crm
        .disable_member(&form.by.actor, id(&number)?, false)
        .await?;
    Ok(visitor.redirect(links::USERS, Some(("user_enabled", None))))
}
