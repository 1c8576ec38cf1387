//! Administration of members: the list, and adding one.

use std::collections::{HashMap, HashSet};

use crm_domain::error::Error;
use crm_domain::instant::Instant;
use crm_domain::members::{LinkPurpose, Member, MemberId, Role};
use crm_domain::permissions::Action;
use crm_domain::use_cases::MemberForm;
use crm_domain::values::Problem;
use poem::http::StatusCode;
use poem::{Response, Route, get, handler};
use serde::Deserialize;

use super::times;
use crate::auth::{Protected, Signed, Visitor};
use crate::format::Times;
use crate::forms::FormState;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::views::Face;
use crate::views::users::{OneTimeLink, TeamTag, USER_FIELDS, UserRow, UsersPage};

/// The roles one can give, the commonest first.
pub(super) const ROLES: [Role; 3] = [Role::Member, Role::Viewer, Role::Admin];

pub(super) fn mount(route: Route) -> Route {
    route.at(links::USERS, get(list).post(add))
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
    let crm = &visitor.app.crm;
    let members = crm.list_members(&by.actor).await?;
    let people = People::of(visitor, by).await?;
    let page = UsersPage {
        rows: members.iter().map(|member| people.row(member)).collect(),
        roles: ROLES.map(Role::code).to_vec(),
        form,
        link,
        lonely: crm.only_one_administrator(&by.actor).await?,
    };
    visitor.page(status, Menu::AdminUsers, &page)
}

/// What stands beside the names of members.
pub(super) struct People {
    reader: MemberId,
    times: Times,
    factors: HashSet<MemberId>,
    seen: HashMap<MemberId, Instant>,
    teams: HashMap<MemberId, Vec<TeamTag>>,
}

impl People {
    pub(super) async fn of(visitor: &Visitor, by: &Signed) -> Result<People, Failure> {
        let crm = &visitor.app.crm;
        let mut seen = HashMap::new();
        for session in crm.list_sessions(&by.actor, None).await? {
            // Last used first.
            seen.entry(session.member.id).or_insert(session.seen_at);
        }
        let names: HashMap<_, _> = crm
            .list_teams(&by.actor)
            .await?
            .into_iter()
            .map(|team| (team.id, team.name))
            .collect();
        let mut teams: HashMap<MemberId, Vec<TeamTag>> = HashMap::new();
        for place in crm.team_members(&by.actor).await? {
            teams.entry(place.member_id).or_default().push(TeamTag {
                name: names.get(&place.team_id).cloned().unwrap_or_default(),
                leader: place.leader,
            });
        }
        Ok(People {
            reader: by.member.id,
            times: times(visitor),
            factors: crm.members_with_factor(&by.actor).await?.into_iter().collect(),
            seen,
            teams,
        })
    }

    pub(super) fn row(&self, member: &Member) -> UserRow {
        UserRow {
            id: member.id.get(),
            name: member.name.clone(),
            email: member.email.as_str().to_owned(),
            role: member.role.code(),
            import: member.grants.import,
            export: member.grants.export,
            disabled: member.disabled_at.is_some(),
            me: member.id == self.reader,
            face: Face::of(member.id.get(), &member.name),
            teams: self.teams.get(&member.id).cloned().unwrap_or_default(),
            factor: self.factors.contains(&member.id),
            seen: self.seen.get(&member.id).map(|at| self.times.short(*at)),
        }
    }

    pub(super) fn since(&self, member: &Member) -> String {
        self.times.full_day(member.created_at)
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

    fn form(&self) -> Result<MemberForm, Error> {
        Ok(MemberForm {
            email: self.email.clone(),
            name: self.member_name.clone(),
            role: Role::from_code(&self.role).ok_or(Error::field("role", Problem::NotAChoice))?,
            password: None,
        })
    }
}

#[handler]
async fn add(
    visitor: Visitor,
    Protected { by, data: typed }: Protected<NewUser>,
) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::ManageMembers)?;
    let outcome = match typed.form() {
        Ok(form) => visitor.app.crm.add_member(&by.actor, form).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(new) => {
            let link = one_time_link(&visitor, &by, new).await?;
            draw(&visitor, &by, empty_form(), Some(link), StatusCode::OK).await
        }
        Err(error @ Error::Invalid(_)) => {
            let mut form = typed.state();
            form.refuse_as(&error, &[("name", "member_name")]);
            draw(&visitor, &by, form, None, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error.into()),
    }
}

/// A link with which a member chooses a password. It is shown once and stored nowhere, so it is no redirect that shows it.
pub(super) async fn one_time_link(
    visitor: &Visitor,
    by: &Signed,
    member: MemberId,
) -> Result<OneTimeLink, Failure> {
    let crm = &visitor.app.crm;
    let secret = crm.make_link(&by.actor, member, LinkPurpose::SetPassword).await?;
    Ok(OneTimeLink {
        name: found(visitor, by, member).await?.name,
        address: format!("{}/link/{secret}", visitor.app.settings.origins.first()),
    })
}

/// One member, for administrators.
pub(super) async fn found(visitor: &Visitor, by: &Signed, id: MemberId) -> Result<Member, Failure> {
    let members = visitor.app.crm.list_members(&by.actor).await?;
    let member = members.into_iter().find(|member| member.id == id);
    Ok(member.ok_or(Error::NotFound("member"))?)
}
