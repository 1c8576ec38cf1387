//! Teams: who works together, whose customers they see, and which team a customer is of.

use super::Crm;
use super::carriers::review_carriers;
use super::customers::found;
use super::sight::Reader;
use crate::audit::{self, Act, Deed, Did};
use crate::customers::CustomerId;
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::instant::Instant;
use crate::members::MemberId;
use crate::permissions::{Action, Actor};
use crate::ports::store::{StoreError, StoreExt, UnitOfWork};
use crate::teams::{Team, TeamDetails, TeamId, TeamMember};
use crate::values::CompanyName;

/// From so many customers and conversations a team is taken in one unit of work.
const CHUNK: usize = 500;

impl Crm {
    /// All teams by name.
    pub async fn list_teams(&self, actor: &Actor) -> Result<Vec<Team>, Error> {
        self.may(actor, Action::ViewRecords)?;
        self.ports.store.read(|unit| Ok(unit.teams().teams()?)).await
    }

    /// The actor's own teams; none for whoever is no member.
    pub async fn own_teams(&self, actor: &Actor) -> Result<Vec<Team>, Error> {
        self.may(actor, Action::ViewRecords)?;
        let Some(me) = actor.member_id() else {
            return Ok(Vec::new());
        };
        self.ports
            .store
            .read(move |unit| Ok(unit.teams().teams_of(me)?.0))
            .await
    }

    /// Who belongs to which team.
    pub async fn team_members(&self, actor: &Actor) -> Result<Vec<TeamMember>, Error> {
        self.may(actor, Action::ManageTeams)?;
        self.ports
            .store
            .read(|unit| Ok(unit.teams().team_members()?))
            .await
    }

    /// Makes a team. A name that another has, or none, is an invalid `name`.
    pub async fn add_team(&self, actor: &Actor, details: TeamDetails) -> Result<TeamId, Error> {
        let details = checked(&details)?;
        self.act(actor, Action::ManageTeams, move |uow, at| {
            let id = uow.edit_teams().add_team(&details, at)?;
            Ok(Deed::on(Act::TeamAdded, id)
                .with(audit::added(&details))
                .gives(id))
        })
        .await
    }

    /// Renames a team and says what its members see; the name as for [`Crm::add_team`].
    pub async fn revise_team(&self, actor: &Actor, id: TeamId, details: TeamDetails) -> Result<(), Error> {
        let details = checked(&details)?;
        self.act(actor, Action::ManageTeams, move |uow, at| {
            let stored = uow.teams().team(id)?.ok_or(Error::NotFound("team"))?;
            let old = TeamDetails {
                name: stored.name,
                sees: stored.sees,
            };
            if !uow.edit_teams().revise_team(id, &details)? {
                return Err(Error::NotFound("team"));
            }
            announce_move(uow, at)?;
            let changes = audit::changed(&old, &details);
            Ok(Deed::on(Act::TeamChanged, id).with(changes).gives(()))
        })
        .await
    }

    /// Says who belongs to a team, and who of them leads it, in place of who did.
    pub async fn set_team_members(
        &self,
        actor: &Actor,
        id: TeamId,
        members: Vec<(MemberId, bool)>,
    ) -> Result<(), Error> {
        self.act(actor, Action::ManageTeams, move |uow, at| {
            uow.teams().team(id)?.ok_or(Error::NotFound("team"))?;
            let before: Vec<(MemberId, bool)> = uow
                .teams()
                .team_members()?
                .into_iter()
                .filter(|row| row.team_id == id)
                .map(|row| (row.member_id, row.leader))
                .collect();
            uow.edit_teams().set_team_members(id, &members)?;
            announce_move(uow, at)?;
            let (old, new) = (listed(before), listed(members.clone()));
            Ok(Deed::on(Act::TeamMembersChanged, id)
                .value("members", old, new)
                .gives(()))
        })
        .await
    }

    /// Takes a team away; its customers are without team then.
    pub async fn delete_team(&self, actor: &Actor, id: TeamId) -> Result<(), Error> {
        loop {
            let released = self.act(actor, Action::ManageTeams, move |uow, _| {
                // Told when the team goes.
                Ok(Did::nothing(uow.edit_teams().release_team(id, CHUNK)?))
            });
            if released.await? < CHUNK {
                break;
            }
        }
        self.act(actor, Action::ManageTeams, move |uow, at| {
            let stored = uow.teams().team(id)?.ok_or(Error::NotFound("team"))?;
            if !uow.edit_teams().delete_team(id)? {
                return Err(Error::NotFound("team"));
            }
            announce_move(uow, at)?;
            Ok(Deed::on(Act::TeamRemoved, id)
                .value("name", Some(stored.name), None)
                .gives(()))
        })
        .await
    }

    /// Says of which team a customer is, or of none. A team that does not exist is an invalid `team_id`.
    pub async fn assign_team(
        &self,
        actor: &Actor,
        id: CustomerId,
        team: Option<TeamId>,
    ) -> Result<(), Error> {
        let reader = Reader::of(actor);
        self.act(actor, Action::EditRecords, move |uow, at| {
            let stored = found(uow, id, reader)?.customer;
            let user = stored.details.line_user_id;
            if !uow.edit_teams().set_team(id, team, at)? {
                return Err(Error::NotFound("customer"));
            }
            review_carriers(uow, &Vec::from_iter(user), at)?;
            let changed = NewEvent::new(EventKind::Customer, at).customer(id);
            uow.edit_events().add_events(&[changed])?;
            announce_move(uow, at)?;
            let [old, new] = [stored.team_id, team].map(|team| team.map(|id| id.to_string()));
            Ok(Deed::on(Act::TeamAssigned, id)
                .value("team_id", old, new)
                .gives(()))
        })
        .await
    }
}

/// Tells pages of members who do not see everything that something may have come into their sight or left it. It carries no
/// id: what one does not see is not told.
pub(super) fn announce_move(uow: &mut dyn UnitOfWork, at: Instant) -> Result<(), StoreError> {
    uow.edit_events()
        .add_events(&[NewEvent::new(EventKind::Gone, at)])
}

/// Members by their ids, leaders with a star.
fn listed(mut members: Vec<(MemberId, bool)>) -> Option<String> {
    members.sort_unstable();
    let names: Vec<String> = members
        .iter()
        .map(|(id, leads)| format!("{id}{}", if *leads { "*" } else { "" }))
        .collect();
    (!names.is_empty()).then(|| names.join(" "))
}

fn checked(details: &TeamDetails) -> Result<TeamDetails, Error> {
    let name = CompanyName::new(&details.name).map_err(|problem| Error::field("name", problem))?;
    Ok(TeamDetails {
        name: name.as_str().to_owned(),
        sees: details.sees,
    })
}
