//! Teams, and whose customers are seen.

use crm_domain::customers::CustomerId;
use crm_domain::instant::Instant;
use crm_domain::members::MemberId;
use crm_domain::ports::store::StoreError;
use crm_domain::teams::{Sees, Sight, Team, TeamDetails, TeamId, TeamMember, TeamQueries, TeamRepository};
use diesel::dsl::{auto_type, exists};
use diesel::prelude::*;

use super::{Conn, Uow};
use crate::fault::Fault;
use crate::found::rows;
use crate::mend::corrupt;
use crate::schema::{conversations, customers, members, team_members, teams};
use crate::stamp::Stamp;

type Row = (i64, String, String, Stamp);

fn team((id, name, sees, created_at): Row) -> Result<Team, StoreError> {
    Ok(Team {
        id: TeamId::new(id),
        name,
        sees: Sees::from_code(&sees).ok_or_else(|| corrupt("teams", "sees", id))?,
        created_at: created_at.0,
    })
}

fn place((team, member, leader): (i64, i64, bool)) -> TeamMember {
    TeamMember {
        team_id: TeamId::new(team),
        member_id: MemberId::new(member),
        leader,
    }
}

/// The ids of a [`Sight`], as statements take them.
pub(super) struct Seen {
    owners: Vec<i64>,
    teams: Vec<i64>,
    whole: Vec<i64>,
}

impl Seen {
    pub(super) fn of(sight: &Sight) -> Self {
        Self {
            owners: sight.owners.iter().map(|id| id.get()).collect(),
            teams: sight.teams.iter().map(|id| id.get()).collect(),
            whole: sight.whole.iter().map(|id| id.get()).collect(),
        }
    }

    /// Customers that are seen.
    pub(super) fn customers(self) -> customers_seen {
        customers_seen(self.owners, self.teams, self.whole)
    }

    /// Conversations that are seen; those of nobody's customer are.
    pub(super) fn conversations(self) -> conversations_seen {
        conversations_seen(self.owners, self.teams, self.whole)
    }
}

#[auto_type]
pub(super) fn customers_seen(owners: Vec<i64>, teams: Vec<i64>, whole: Vec<i64>) -> _ {
    let unowned = customers::owner_id
        .is_null()
        .and(customers::team_id.is_null().or(customers::team_id.eq_any(teams)));
    customers::owner_id
        .eq_any(owners)
        .or(unowned)
        .or(customers::team_id.eq_any(whole))
}

#[auto_type]
pub(super) fn conversations_seen(owners: Vec<i64>, teams: Vec<i64>, whole: Vec<i64>) -> _ {
    let unowned = conversations::owner_id.is_null().and(
        conversations::team_id
            .is_null()
            .or(conversations::team_id.eq_any(teams)),
    );
    conversations::owner_id
        .eq_any(owners)
        .or(unowned)
        .or(conversations::team_id.eq_any(whole))
        .or(conversations::customer_id.is_null())
}

/// Whether another team has the name.
fn check_name(conn: &mut Conn, name: &str, of: i64) -> Result<(), Fault> {
    let other = teams::table.filter(teams::name.eq(name).and(teams::id.ne(of)));
    if diesel::select(exists(other)).get_result(conn)? {
        return Err(StoreError::Taken("name").into());
    }
    Ok(())
}

fn check_team(conn: &mut Conn, id: TeamId) -> Result<(), Fault> {
    if diesel::select(exists(teams::table.find(id.get()))).get_result(conn)? {
        Ok(())
    } else {
        Err(StoreError::Missing("team_id").into())
    }
}

/// The teams of a member, and everybody in them.
pub(super) fn own_teams(conn: &mut Conn, member: MemberId) -> Result<(Vec<i64>, Vec<i64>), Fault> {
    let own: Vec<i64> = team_members::table
        .filter(team_members::member_id.eq(member.get()))
        .select(team_members::team_id)
        .load(conn)?;
    let mates = team_members::table
        .filter(team_members::team_id.eq_any(&own))
        .select(team_members::member_id)
        .load(conn)?;
    Ok((own, mates))
}

impl TeamQueries for Uow<'_> {
    fn teams(&mut self) -> Result<Vec<Team>, StoreError> {
        self.run(|conn| {
            let found: Vec<Row> = teams::table.order_by((teams::name, teams::id)).load(conn)?;
            Ok(found.into_iter().map(team).collect::<Result<_, _>>()?)
        })
    }

    fn team(&mut self, id: TeamId) -> Result<Option<Team>, StoreError> {
        self.run(|conn| {
            let found: Option<Row> = teams::table.find(id.get()).first(conn).optional()?;
            Ok(found.map(team).transpose()?)
        })
    }

    fn team_members(&mut self) -> Result<Vec<TeamMember>, StoreError> {
        self.run(|conn| {
            let found: Vec<(i64, i64, bool)> = team_members::table
                .order_by((team_members::team_id, team_members::member_id))
                .load(conn)?;
            Ok(found.into_iter().map(place).collect())
        })
    }

    fn teams_of(&mut self, member: MemberId) -> Result<(Vec<Team>, Vec<TeamMember>), StoreError> {
        self.run(|conn| {
            let found: Vec<Row> = teams::table
                .inner_join(team_members::table)
                .filter(team_members::member_id.eq(member.get()))
                .order_by(teams::id)
                .select(teams::all_columns)
                .load(conn)?;
            if found.is_empty() {
                return Ok((Vec::new(), Vec::new()));
            }
            let ids: Vec<i64> = found.iter().map(|row| row.0).collect();
            let mates: Vec<(i64, i64, bool)> = team_members::table
                .filter(team_members::team_id.eq_any(ids))
                .order_by((team_members::team_id, team_members::member_id))
                .load(conn)?;
            let teams = found.into_iter().map(team).collect::<Result<_, _>>()?;
            Ok((teams, mates.into_iter().map(place).collect()))
        })
    }
}

impl TeamRepository for Uow<'_> {
    fn add_team(&mut self, details: &TeamDetails, at: Instant) -> Result<TeamId, StoreError> {
        self.run(|conn| {
            let id: Option<i64> = diesel::insert_into(teams::table)
                .values((
                    teams::name.eq(&details.name),
                    teams::sees.eq(details.sees.code()),
                    teams::created_at.eq(Stamp(at)),
                ))
                .on_conflict(teams::name)
                .do_nothing()
                .returning(teams::id)
                .get_result(conn)
                .optional()?;
            Ok(TeamId::new(id.ok_or(StoreError::Taken("name"))?))
        })
    }

    fn revise_team(&mut self, id: TeamId, details: &TeamDetails) -> Result<bool, StoreError> {
        self.run(|conn| {
            check_name(conn, &details.name, id.get())?;
            let changed = diesel::update(teams::table.find(id.get()))
                .set((teams::name.eq(&details.name), teams::sees.eq(details.sees.code())))
                .execute(conn)?;
            Ok(changed == 1)
        })
    }

    fn release_team(&mut self, id: TeamId, limit: usize) -> Result<usize, StoreError> {
        self.run(|conn| {
            let some = customers::table
                .filter(customers::team_id.eq(id.get()))
                .limit(rows(limit))
                .select(customers::id)
                .load::<i64>(conn)?;
            let left = diesel::update(customers::table.filter(customers::id.eq_any(some)))
                .set(customers::team_id.eq(None::<i64>))
                .execute(conn)?;
            let some = conversations::table
                .filter(conversations::team_id.eq(id.get()))
                .limit(rows(limit.saturating_sub(left)))
                .select(conversations::id)
                .load::<i64>(conn)?;
            let talks = diesel::update(conversations::table.filter(conversations::id.eq_any(some)))
                .set(conversations::team_id.eq(None::<i64>))
                .execute(conn)?;
            Ok(left + talks)
        })
    }

    fn delete_team(&mut self, id: TeamId) -> Result<bool, StoreError> {
        self.run(|conn| {
            diesel::delete(team_members::table.filter(team_members::team_id.eq(id.get()))).execute(conn)?;
            diesel::update(customers::table.filter(customers::team_id.eq(id.get())))
                .set(customers::team_id.eq(None::<i64>))
                .execute(conn)?;
            diesel::update(conversations::table.filter(conversations::team_id.eq(id.get())))
                .set(conversations::team_id.eq(None::<i64>))
                .execute(conn)?;
            Ok(diesel::delete(teams::table.find(id.get())).execute(conn)? == 1)
        })
    }

    fn set_team_members(&mut self, id: TeamId, wanted: &[(MemberId, bool)]) -> Result<(), StoreError> {
        self.run(|conn| {
            check_team(conn, id)?;
            for (member, _) in wanted {
                if !diesel::select(exists(members::table.find(member.get()))).get_result(conn)? {
                    return Err(StoreError::Missing("member_id").into());
                }
            }
            diesel::delete(team_members::table.filter(team_members::team_id.eq(id.get()))).execute(conn)?;
            for (member, leader) in wanted {
                diesel::insert_into(team_members::table)
                    .values((
                        team_members::team_id.eq(id.get()),
                        team_members::member_id.eq(member.get()),
                        team_members::leader.eq(*leader),
                    ))
                    .on_conflict_do_nothing()
                    .execute(conn)?;
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
        self.run(|conn| {
            if let Some(team) = team {
                check_team(conn, team)?;
            }
            let there = customers::table
                .find(customer.get())
                .filter(customers::deleted_at.is_null());
            let changed = diesel::update(there)
                .set((
                    customers::team_id.eq(team.map(TeamId::get)),
                    customers::version.eq(customers::version + 1),
                    customers::updated_at.eq(Stamp(at)),
                ))
                .execute(conn)?;
            Ok(changed == 1)
        })
    }
}
