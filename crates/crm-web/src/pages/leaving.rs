//! Somebody leaves: signing in is closed, and まとめて引き継ぐ asks who takes over what they have in hand.

use crm_domain::error::Error;
use crm_domain::members::{MemberId, Role};
use crm_domain::permissions::Action;
use crm_domain::values::Problem;
use poem::http::StatusCode;
use poem::web::Path;
use poem::{Response, Route, get, handler, post};
use serde::Deserialize;

use super::id;
use super::members::found;
use crate::auth::{Nothing, Protected, Signed, Visitor};
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::sentence::Sentence;
use crate::views::users::{LeavePage, Successor};

pub(super) fn mount(route: Route) -> Route {
    route
        .at("/admin/users/:id/disable", get(ask_disable).post(disable))
        .at("/admin/users/:id/enable", post(enable))
        .at("/admin/users/:id/hand-over", get(ask_hand_over).post(hand_over))
}

/// Who takes over.
enum To {
    Somebody(MemberId),
    Nobody,
    /// Nothing is handed over now.
    Later,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Chosen {
    /// A member's number, `nobody`, or `later`.
    to: String,
}

impl Chosen {
    fn to(&self) -> Result<To, Error> {
        match self.to.trim() {
            "" => Err(Error::field("to", Problem::Required)),
            "nobody" => Ok(To::Nobody),
            "later" => Ok(To::Later),
            number => number
                .parse()
                .map(To::Somebody)
                .map_err(|_| Error::field("to", Problem::Missing)),
        }
    }
}

#[handler]
async fn ask_disable(visitor: Visitor, by: Signed, Path(number): Path<String>) -> Result<Response, Failure> {
    draw(&visitor, &by, id(&number)?, true, &Chosen::default(), None).await
}

#[handler]
async fn ask_hand_over(
    visitor: Visitor,
    by: Signed,
    Path(number): Path<String>,
) -> Result<Response, Failure> {
    draw(&visitor, &by, id(&number)?, false, &Chosen::default(), None).await
}

async fn draw(
    visitor: &Visitor,
    by: &Signed,
    leaving: MemberId,
    closes: bool,
    chosen: &Chosen,
    error: Option<&Error>,
) -> Result<Response, Failure> {
    let crm = &visitor.app.crm;
    let member = found(visitor, by, leaving).await?;
    let holdings = crm.holdings(&by.actor, leaving).await?;
    let others = crm.list_members(&by.actor).await?;
    let successors = others
        .into_iter()
        .filter(|other| other.id != leaving && other.disabled_at.is_none() && other.role != Role::Viewer)
        .map(|other| Successor {
            id: other.id.to_string(),
            name: other.name,
        });
    let page = LeavePage {
        id: leaving.get(),
        name: member.name,
        disable: closes,
        customers: holdings.customers,
        conversations: holdings.conversations,
        successors: successors.collect(),
        chosen: chosen.to.clone(),
        error: error.map(Sentence::error),
    };
    let status = match error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    visitor.page(status, Menu::AdminUsers, &page)
}

#[handler]
async fn disable(
    visitor: Visitor,
    Path(number): Path<String>,
    Protected { by, data: chosen }: Protected<Chosen>,
) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::ManageMembers)?;
    let leaving = id(&number)?;
    let crm = &visitor.app.crm;
    let to = match chosen.to() {
        Err(_) if crm.holdings(&by.actor, leaving).await?.is_empty() => To::Later,
        Ok(to) => to,
        Err(error) => return draw(&visitor, &by, leaving, true, &chosen, Some(&error)).await,
    };
    if let Err(error) = able(&visitor, &by, leaving, &to).await {
        return draw(&visitor, &by, leaving, true, &chosen, Some(&error)).await;
    }
    // The door closes first: what is handed over takes its time.
    crm.disable_member(&by.actor, leaving, true).await?;
    let notice = match to {
        To::Later => ("user_disabled", Some(leaving.get())),
        to => {
            give(&visitor, &by, leaving, to).await?;
            ("user_left", None)
        }
    };
    Ok(visitor.redirect(&links::user(leaving.get()), Some(notice)))
}

/// Whether the one who was chosen can take over, asked before anything is changed.
async fn able(visitor: &Visitor, by: &Signed, leaving: MemberId, to: &To) -> Result<(), Error> {
    let To::Somebody(to) = to else { return Ok(()) };
    visitor.app.crm.can_take_over(&by.actor, leaving, *to).await
}

/// Goes on when the reader goes away.
async fn give(visitor: &Visitor, by: &Signed, leaving: MemberId, to: To) -> Result<(), Failure> {
    let to = match to {
        To::Somebody(to) => Some(to),
        To::Nobody => None,
        To::Later => return Ok(()),
    };
    let (app, actor) = (visitor.app.clone(), by.actor.clone());
    let given = crate::server::spawn(async move { app.crm.hand_over_all(&actor, leaving, to).await });
    given
        .await
        .map_err(|_| Failure::Broken("handing over broke off"))??;
    Ok(())
}

#[handler]
async fn hand_over(
    visitor: Visitor,
    Path(number): Path<String>,
    Protected { by, data: chosen }: Protected<Chosen>,
) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::ManageMembers)?;
    let leaving = id(&number)?;
    let to = match chosen.to() {
        Ok(to) => to,
        Err(error) => return draw(&visitor, &by, leaving, false, &chosen, Some(&error)).await,
    };
    if let Err(error) = able(&visitor, &by, leaving, &to).await {
        return draw(&visitor, &by, leaving, false, &chosen, Some(&error)).await;
    }
    give(&visitor, &by, leaving, to).await?;
    Ok(visitor.redirect(&links::user(leaving.get()), Some(("handed_over", None))))
}

#[handler]
async fn enable(
    visitor: Visitor,
    Path(number): Path<String>,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    let member: MemberId = id(&number)?;
    let crm = &visitor.app.crm;
    crm.disable_member(&form.by.actor, member, false).await?;
    Ok(visitor.redirect(&links::user(member.get()), Some(("user_enabled", None))))
}
