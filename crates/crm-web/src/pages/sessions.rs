//! ログイン中の端末: everybody's in the administration, one's own in one's own settings.

use crm_domain::use_cases::SessionLine;
use poem::http::StatusCode;
use poem::{Response, Route, get, handler, post};
use serde::Deserialize;

use super::times;
use crate::auth::{Nothing, Protected, Signed, Visitor};
use crate::format::Times;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::views::sessions::{SessionRow, Sessions, SessionsPage};

pub(super) fn mount(route: Route) -> Route {
    route
        .at(links::SESSIONS, get(list))
        .at("/admin/sessions/end", post(end))
        .at("/admin/sessions/end-all", post(end_all))
        .at("/me/sessions/end", post(end_own))
        .at("/me/sessions/end-all", post(end_all_own))
}

#[handler]
async fn list(visitor: Visitor, by: Signed) -> Result<Response, Failure> {
    let crm = &visitor.app.crm;
    let lines = crm.list_sessions(&by.actor, by.session.as_deref()).await?;
    let times = times(&visitor);
    let page = SessionsPage {
        sessions: Sessions {
            end: "/admin/sessions/end",
            end_all: "/admin/sessions/end-all",
            rows: lines.into_iter().map(|line| row(line, &times)).collect(),
            whose: true,
        },
    };
    visitor.page(StatusCode::OK, Menu::AdminSessions, &page)
}

/// One's own, for one's own settings.
pub(super) async fn own(visitor: &Visitor, by: &Signed) -> Result<Sessions, Failure> {
    let crm = &visitor.app.crm;
    let lines = crm.list_own_sessions(&by.actor, by.session.as_deref()).await?;
    let times = times(visitor);
    Ok(Sessions {
        end: "/me/sessions/end",
        end_all: "/me/sessions/end-all",
        rows: lines.into_iter().map(|line| row(line, &times)).collect(),
        whose: false,
    })
}

fn row(line: SessionLine, times: &Times) -> SessionRow {
    SessionRow {
        id: line.id,
        member: line.member.name,
        browser: line.browser,
        address: line.address,
        since: times.short(line.created_at),
        seen: times.short(line.seen_at),
        present: line.present,
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Chosen {
    /// The public name of a session.
    session: String,
}

#[handler]
async fn end(visitor: Visitor, form: Protected<Chosen>) -> Result<Response, Failure> {
    ended(&visitor, form, links::SESSIONS).await
}

#[handler]
async fn end_own(visitor: Visitor, form: Protected<Chosen>) -> Result<Response, Failure> {
    ended(&visitor, form, links::ME).await
}

async fn ended(visitor: &Visitor, form: Protected<Chosen>, back: &str) -> Result<Response, Failure> {
    let crm = &visitor.app.crm;
    crm.end_session(&form.by.actor, &form.data.session).await?;
    Ok(visitor.redirect(back, Some(("session_ended", None))))
}

#[handler]
async fn end_all(visitor: Visitor, form: Protected<Nothing>) -> Result<Response, Failure> {
    visitor.app.crm.end_all_sessions(&form.by.actor).await?;
    Ok(visitor.redirect(links::LOGIN, Some(("sessions_ended", None))))
}

#[handler]
async fn end_all_own(visitor: Visitor, form: Protected<Nothing>) -> Result<Response, Failure> {
    let present = form.by.session.as_deref().unwrap_or_default();
    let crm = &visitor.app.crm;
    crm.end_other_sessions(&form.by.actor, present).await?;
    crm.sign_out(present).await?;
    Ok(visitor.redirect(links::LOGIN, Some(("sessions_ended", None))))
}
