//! Administration of one member: role and permissions, a link for a new password, the second factor, sessions.

use crm_domain::error::Error;
use crm_domain::members::{Grants, MemberId, Role};
use crm_domain::permissions::Action;
use crm_domain::values::Problem;
use poem::http::StatusCode;
use poem::web::Path;
use poem::{Response, Route, get, handler, post};
use serde::Deserialize;

use super::id;
use super::members::{People, ROLES, found, one_time_link};
use crate::auth::{Nothing, Protected, Signed, Visitor};
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::views::users::{OneTimeLink, UserPage};

pub(super) fn mount(route: Route) -> Route {
    route
        .at("/admin/users/:id", get(show))
        .at("/admin/users/:id/role", post(change_rights))
        .at("/admin/users/:id/link", post(make_link))
        .at("/admin/users/:id/factors", post(reset_factors))
        .at("/admin/users/:id/sign-out", post(sign_out))
}

#[handler]
async fn show(visitor: Visitor, by: Signed, Path(number): Path<String>) -> Result<Response, Failure> {
    draw(&visitor, &by, id(&number)?, Told::Nothing).await
}

/// What the page says beyond the member.
enum Told {
    Nothing,
    /// Somebody else changed the role first.
    Stale,
    Link(OneTimeLink),
}

async fn draw(visitor: &Visitor, by: &Signed, id: MemberId, told: Told) -> Result<Response, Failure> {
    let member = found(visitor, by, id).await?;
    let people = People::of(visitor, by).await?;
    let holdings = visitor.app.crm.holdings(&by.actor, id).await?;
    let stale = matches!(told, Told::Stale);
    let page = UserPage {
        user: people.row(&member),
        since: people.since(&member),
        has_password: member.has_password,
        customers: holdings.customers,
        conversations: holdings.conversations,
        roles: ROLES.map(Role::code).to_vec(),
        stale,
        link: match told {
            Told::Link(link) => Some(link),
            _ => None,
        },
    };
    let status = if stale {
        StatusCode::CONFLICT
    } else {
        StatusCode::OK
    };
    visitor.page(status, Menu::AdminUsers, &page)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Rights {
    role: String,
    /// The role that the page showed.
    seen: String,
    /// Set when the form also holds the permissions.
    permissions: String,
    import: String,
    export: String,
}

impl Rights {
    fn grants(&self) -> Option<Grants> {
        (!self.permissions.is_empty()).then_some(Grants {
            import: !self.import.is_empty(),
            export: !self.export.is_empty(),
        })
    }
}

#[handler]
async fn change_rights(
    visitor: Visitor,
    Path(number): Path<String>,
    Protected { by, data: typed }: Protected<Rights>,
) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::ManageMembers)?;
    let member = id(&number)?;
    let role = Role::from_code(&typed.role).ok_or(Error::field("role", Problem::NotAChoice))?;
    let seen = Role::from_code(&typed.seen);
    let crm = &visitor.app.crm;
    match crm.change_role(&by.actor, member, seen, role).await {
        Err(Error::Stale) => return draw(&visitor, &by, member, Told::Stale).await,
        outcome => outcome?,
    }
    if let Some(grants) = typed.grants() {
        crm.change_grants(&by.actor, member, grants).await?;
    }
    Ok(back(&visitor, member, "user_changed"))
}

#[handler]
async fn make_link(
    visitor: Visitor,
    Path(number): Path<String>,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    let member = id(&number)?;
    let link = one_time_link(&visitor, &form.by, member).await?;
    draw(&visitor, &form.by, member, Told::Link(link)).await
}

#[handler]
async fn reset_factors(
    visitor: Visitor,
    Path(number): Path<String>,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    let member = id(&number)?;
    visitor.app.crm.reset_factors(&form.by.actor, member).await?;
    Ok(back(&visitor, member, "factors_reset"))
}

#[handler]
async fn sign_out(
    visitor: Visitor,
    Path(number): Path<String>,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    let member = id(&number)?;
    visitor.app.crm.end_sessions_of(&form.by.actor, member).await?;
    Ok(back(&visitor, member, "sessions_ended"))
}

fn back(visitor: &Visitor, member: MemberId, notice: &'static str) -> Response {
    visitor.redirect(&links::user(member.get()), Some((notice, None)))
}
