//! Administration of teams: what their members see, who belongs to them and who leads.

use std::collections::HashMap;

use crm_domain::error::Error;
use crm_domain::members::{Member, MemberId};
use crm_domain::permissions::Action;
use crm_domain::teams::{Sees, Team, TeamDetails, TeamId, TeamMember};
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
use crate::sentence::Sentence;
use crate::server::spawn;
use crate::views::Face;
use crate::views::teams::{TEAM_FIELDS, TeamDeletePage, TeamPage, TeamPerson, TeamRow, TeamsPage};

pub(super) fn mount(route: Route) -> Route {
    route
        .at(links::TEAMS, get(list).post(add))
        .at("/admin/teams/:id", get(show).post(revise))
        .at("/admin/teams/:id/members", post(set_members))
        .at("/admin/teams/:id/delete", get(ask_delete).post(delete))
}

fn sights() -> Vec<&'static str> {
    [Sees::All, Sees::Team, Sees::Own].map(Sees::code).to_vec()
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    team_name: String,
    sees: String,
}

impl Typed {
    fn of(name: &str, sees: Sees) -> FormState {
        FormState::of(&TEAM_FIELDS)
            .with("team_name", name)
            .with("sees", sees.code())
    }

    fn details(&self) -> Result<TeamDetails, Error> {
        Ok(TeamDetails {
            name: self.team_name.clone(),
            sees: Sees::from_code(&self.sees).ok_or(Error::field("sees", Problem::NotAChoice))?,
        })
    }

    fn refused(&self, error: &Error) -> FormState {
        let mut form = FormState::of(&TEAM_FIELDS)
            .with("team_name", &self.team_name)
            .with("sees", &self.sees);
        form.refuse_as(error, &[("name", "team_name")]);
        form
    }
}

#[handler]
async fn list(visitor: Visitor, by: Signed) -> Result<Response, Failure> {
    draw_list(&visitor, &by, Typed::of("", Sees::Team), StatusCode::OK).await
}

async fn draw_list(
    visitor: &Visitor,
    by: &Signed,
    form: FormState,
    status: StatusCode,
) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::ManageTeams)?;
    let crm = &visitor.app.crm;
    let teams = crm.list_teams(&by.actor).await?;
    let places = crm.team_members(&by.actor).await?;
    let members = crm.list_members(&by.actor).await?;
    let names: HashMap<MemberId, String> = members
        .into_iter()
        .map(|member| (member.id, member.name))
        .collect();
    let page = TeamsPage {
        rows: teams.iter().map(|team| row(team, &places, &names)).collect(),
        sights: sights(),
        form,
    };
    visitor.page(status, Menu::AdminTeams, &page)
}

fn row(team: &Team, places: &[TeamMember], names: &HashMap<MemberId, String>) -> TeamRow {
    let who = |leader: bool| {
        let theirs = places
            .iter()
            .filter(|place| place.team_id == team.id && place.leader == leader);
        let found = theirs.filter_map(|place| names.get(&place.member_id).cloned());
        found.collect()
    };
    TeamRow {
        id: team.id.get(),
        name: team.name.clone(),
        sees: team.sees.code(),
        leaders: who(true),
        members: who(false),
    }
}

#[handler]
async fn add(visitor: Visitor, Protected { by, data: typed }: Protected<Typed>) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::ManageTeams)?;
    let outcome = match typed.details() {
        Ok(details) => visitor.app.crm.add_team(&by.actor, details).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(new) => Ok(visitor.redirect(&links::team(new.get()), Some(("added", None)))),
        Err(error @ Error::Invalid(_)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            draw_list(&visitor, &by, typed.refused(&error), status).await
        }
        Err(error) => Err(error.into()),
    }
}

#[handler]
async fn show(visitor: Visitor, by: Signed, Path(number): Path<String>) -> Result<Response, Failure> {
    draw(&visitor, &by, id(&number)?, Again::default()).await
}

/// What of the page comes back as it was sent.
#[derive(Default)]
struct Again {
    form: Option<FormState>,
    members: Option<(Vec<(MemberId, bool)>, Sentence)>,
}

async fn draw(visitor: &Visitor, by: &Signed, id: TeamId, again: Again) -> Result<Response, Failure> {
    let team = found(visitor, by, id).await?;
    let crm = &visitor.app.crm;
    let members = crm.list_members(&by.actor).await?;
    let status = if again.form.is_some() || again.members.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let (places, error) = if let Some((places, error)) = again.members {
        (places, Some(error))
    } else {
        let all = crm.team_members(&by.actor).await?;
        let theirs = all.iter().filter(|place| place.team_id == id);
        (
            theirs.map(|place| (place.member_id, place.leader)).collect(),
            None,
        )
    };
    let page = TeamPage {
        id: id.get(),
        form: again.form.unwrap_or_else(|| Typed::of(&team.name, team.sees)),
        name: team.name,
        sights: sights(),
        people: people(&members, &places),
        error,
    };
    visitor.page(status, Menu::AdminTeams, &page)
}

/// Everybody who can sign in, and whoever else belongs to it.
fn people(members: &[Member], places: &[(MemberId, bool)]) -> Vec<TeamPerson> {
    let person = |member: &Member| {
        let place = places.iter().find(|(id, _)| *id == member.id);
        TeamPerson {
            id: member.id.get(),
            name: member.name.clone(),
            role: member.role.code(),
            face: Face::of(member.id.get(), &member.name),
            belongs: place.is_some(),
            leads: place.is_some_and(|(_, leads)| *leads),
            disabled: member.disabled_at.is_some(),
        }
    };
    let all = members.iter().map(person);
    all.filter(|person| person.belongs || !person.disabled).collect()
}

async fn found(visitor: &Visitor, by: &Signed, id: TeamId) -> Result<Team, Failure> {
    visitor.app.crm.may(&by.actor, Action::ManageTeams)?;
    let teams = visitor.app.crm.list_teams(&by.actor).await?;
    let team = teams.into_iter().find(|team| team.id == id);
    Ok(team.ok_or(Error::NotFound("team"))?)
}

#[handler]
async fn revise(
    visitor: Visitor,
    Path(number): Path<String>,
    Protected { by, data: typed }: Protected<Typed>,
) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::ManageTeams)?;
    let team: TeamId = id(&number)?;
    let outcome = match typed.details() {
        Ok(details) => visitor.app.crm.revise_team(&by.actor, team, details).await,
        Err(error) => Err(error),
    };
    match outcome {
        Err(error @ Error::Invalid(_)) => {
            let again = Again {
                form: Some(typed.refused(&error)),
                ..Again::default()
            };
            draw(&visitor, &by, team, again).await
        }
        outcome => {
            outcome?;
            Ok(visitor.redirect(&links::team(team.get()), Some(("saved", None))))
        }
    }
}

#[handler]
async fn set_members(
    visitor: Visitor,
    Path(number): Path<String>,
    Protected { by, data: typed }: Protected<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let team: TeamId = id(&number)?;
    let chosen = chosen(&typed)?;
    let crm = &visitor.app.crm;
    match crm.set_team_members(&by.actor, team, chosen.clone()).await {
        Err(error @ Error::Invalid(_)) => {
            let again = Again {
                members: Some((chosen, Sentence::error(&error))),
                ..Again::default()
            };
            draw(&visitor, &by, team, again).await
        }
        outcome => {
            outcome?;
            Ok(visitor.redirect(&links::team(team.get()), Some(("saved", None))))
        }
    }
}

/// Whoever is ticked as a leader belongs to the team.
fn chosen(typed: &[(String, String)]) -> Result<Vec<(MemberId, bool)>, Failure> {
    let mut places: Vec<(MemberId, bool)> = Vec::new();
    for (name, value) in typed {
        let leads = match name.as_str() {
            "member" => false,
            "leader" => true,
            _ => continue,
        };
        let member = id(value)?;
        match places.iter_mut().find(|(known, _)| *known == member) {
            Some((_, leader)) => *leader |= leads,
            None => places.push((member, leads)),
        }
    }
    Ok(places)
}

#[handler]
async fn ask_delete(visitor: Visitor, by: Signed, Path(number): Path<String>) -> Result<Response, Failure> {
    let team = found(&visitor, &by, id(&number)?).await?;
    let page = TeamDeletePage {
        id: team.id.get(),
        name: team.name,
    };
    visitor.page(StatusCode::OK, Menu::AdminTeams, &page)
}

#[handler]
async fn delete(
    visitor: Visitor,
    Path(number): Path<String>,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    let team: TeamId = id(&number)?;
    let (app, actor) = (visitor.app.clone(), form.by.actor.clone());
    // Goes on when the reader goes away.
    let deleted = spawn(async move { app.crm.delete_team(&actor, team).await });
    deleted
        .await
        .map_err(|_| Failure::Broken("deleting broke off"))??;
    Ok(visitor.redirect(links::TEAMS, Some(("team_deleted", None))))
}
