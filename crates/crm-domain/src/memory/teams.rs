//! Teams in memory.

use super::state::State;
use super::unit::Unit;
use crate::customers::CustomerId;
use crate::instant::Instant;
use crate::members::MemberId;
use crate::ports::store::StoreError;
use crate::teams::{Team, TeamDetails, TeamId, TeamMember, TeamQueries, TeamRepository};

impl State {
    fn check_team_name(&self, name: &str, of: Option<TeamId>) -> Result<(), StoreError> {
        let mut teams = self.teams.iter().map(|(_, team)| team);
        if teams.any(|team| team.name == name && Some(team.id) != of) {
            return Err(StoreError::Taken("name"));
        }
        Ok(())
    }

    /// Whether something is of a team of this member, or owned by somebody in one.
    pub(super) fn is_of_team(&self, me: MemberId, owner: Option<MemberId>, team: Option<TeamId>) -> bool {
        let places = self.places();
        let own: Vec<TeamId> = places
            .iter()
            .filter(|place| place.member_id == me)
            .map(|place| place.team_id)
            .collect();
        let mut mates = places.iter().filter(|place| own.contains(&place.team_id));
        team.is_some_and(|team| own.contains(&team)) || mates.any(|mate| Some(mate.member_id) == owner)
    }

    fn places(&self) -> Vec<TeamMember> {
        let mut places: Vec<_> = self.team_members.iter().map(|(_, place)| *place).collect();
        places.sort();
        places
    }
}

impl TeamQueries for Unit {
    fn teams(&mut self) -> Result<Vec<Team>, StoreError> {
        self.look(|state| {
            let mut teams: Vec<Team> = state.teams.iter().map(|(_, team)| team.clone()).collect();
            teams.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
            teams
        })
    }

    fn team(&mut self, id: TeamId) -> Result<Option<Team>, StoreError> {
        self.look(|state| state.teams.get(id.get()).cloned())
    }

    fn team_members(&mut self) -> Result<Vec<TeamMember>, StoreError> {
        self.look(State::places)
    }

    fn teams_of(&mut self, member: MemberId) -> Result<(Vec<Team>, Vec<TeamMember>), StoreError> {
        self.look(|state| {
            let places = state.places();
            let is_in = |team: TeamId| {
                let mut own = places.iter();
                own.any(|place| place.team_id == team && place.member_id == member)
            };
            let teams = state.teams.iter().map(|(_, team)| team.clone());
            (
                teams.filter(|team| is_in(team.id)).collect(),
                places
                    .iter()
                    .filter(|place| is_in(place.team_id))
                    .copied()
                    .collect(),
            )
        })
    }
}

impl TeamRepository for Unit {
    fn add_team(&mut self, details: &TeamDetails, at: Instant) -> Result<TeamId, StoreError> {
        self.change(|state| {
            state.check_team_name(&details.name, None)?;
            let id = state.teams.insert(|id| Team {
                id: TeamId::new(id),
                name: details.name.clone(),
                sees: details.sees,
                created_at: at,
            });
            Ok(TeamId::new(id))
        })
    }

    fn revise_team(&mut self, id: TeamId, details: &TeamDetails) -> Result<bool, StoreError> {
        self.change(|state| {
            state.check_team_name(&details.name, Some(id))?;
            let Some(team) = state.teams.get_mut(id.get()) else {
                return Ok(false);
            };
            team.name.clone_from(&details.name);
            team.sees = details.sees;
            Ok(true)
        })
    }

    fn release_team(&mut self, id: TeamId, limit: usize) -> Result<usize, StoreError> {
        self.change(|state| {
            let customers = state.customers.iter_mut().map(|row| &mut row.customer.team_id);
            let talks = state
                .conversations
                .iter_mut()
                .map(|talk| &mut talk.standing.team_id);
            let of_team = customers.chain(talks).filter(|team| **team == Some(id));
            Ok(of_team.take(limit).map(Option::take).count())
        })
    }

    fn delete_team(&mut self, id: TeamId) -> Result<bool, StoreError> {
        self.change(|state| {
            state.team_members.retain(|place| place.team_id != id);
            for row in state.customers.iter_mut() {
                row.customer.team_id = row.customer.team_id.filter(|team| *team != id);
            }
            for talk in state.conversations.iter_mut() {
                talk.standing.team_id = talk.standing.team_id.filter(|team| *team != id);
            }
            let there = state.teams.get(id.get()).is_some();
            state.teams.retain(|team| team.id != id);
            Ok(there)
        })
    }

    fn set_team_members(&mut self, id: TeamId, members: &[(MemberId, bool)]) -> Result<(), StoreError> {
        self.change(|state| {
            if state.teams.get(id.get()).is_none() {
                return Err(StoreError::Missing("team_id"));
            }
            if members.iter().any(|(member, _)| state.member(*member).is_none()) {
                return Err(StoreError::Missing("member_id"));
            }
            state.team_members.retain(|place| place.team_id != id);
            for (member_id, leader) in members {
                state.team_members.insert(|_| TeamMember {
                    team_id: id,
                    member_id: *member_id,
                    leader: *leader,
                });
            }
            Ok(())
        })
    }

    fn set_team(
        &mut self,
        customer: CustomerId,
        team: Option<TeamId>,
        at: Instant,
    ) -> Result<bool, StoreError> {
        self.change(|state| {
            if team.is_some_and(|team| state.teams.get(team.get()).is_none()) {
                return Err(StoreError::Missing("team_id"));
            }
            match state.customers.get_mut(customer.get()) {
                Some(row) if row.is_visible() => {
                    row.customer.team_id = team;
                    row.customer.version += 1;
                    row.customer.updated_at = at;
                    Ok(true)
                }
                _ => Ok(false),
            }
        })
    }
}
