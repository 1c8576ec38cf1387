//! 管理: the way to the pages of administration.

use crm_domain::permissions::Action;
use poem::http::StatusCode;
use poem::{Response, Route, get, handler};

use crate::auth::{Signed, Visitor};
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::views::admin::AdminPage;

pub(super) fn mount(route: Route) -> Route {
    route.at(links::ADMIN, get(show))
}

#[handler]
async fn show(visitor: Visitor, by: Signed) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::ManageMembers)?;
    // The way to the other pages is there whatever the database says.
    let view = visitor.app.crm.backup_state(&by.actor).await.ok();
    let backup = view.map(|view| super::backups::summary(&view, &super::times(&visitor)));
    visitor.page(StatusCode::OK, Menu::Admin, &AdminPage { backup })
}
