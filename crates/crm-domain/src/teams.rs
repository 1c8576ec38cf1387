//! Teams: who works together, and whose customers their members see.

use std::collections::BTreeSet;

use crate::id::Id;
use crate::instant::Instant;
use crate::members::MemberId;
use crate::ports::store::StoreError;

/// A team's key.
pub type TeamId = Id<Team>;

/// Which customers the members of a team see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sees {
    /// すべての顧客.
    All,
    /// チームの顧客.
    Team,
    /// 自分の顧客のみ.
    Own,
}

impl Sees {
    /// Every setting.
    pub const ALL: [Self; 3] = [Self::All, Self::Team, Self::Own];

    /// The code that stores and forms use.
    pub fn code(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Team => "team",
            Self::Own => "own",
        }
    }

    /// The setting of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sees| sees.code() == code)
    }
}

/// A team as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Its key.
    pub id: TeamId,
    /// Its name, unique, 1 to 100 characters.
    pub name: String,
    /// Which customers its members see.
    pub sees: Sees,
    /// When it was made.
    pub created_at: Instant,
}

/// A team to be made, or what one is changed into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamDetails {
    /// Its name.
    pub name: String,
    /// Which customers its members see.
    pub sees: Sees,
}

/// Somebody's place in a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TeamMember {
    /// Which team.
    pub team_id: TeamId,
    /// Who.
    pub member_id: MemberId,
    /// チームリーダー: sees the whole team's customers.
    pub leader: bool,
}

/// Which customers somebody sees; what one does not see is not found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Visible {
    /// All.
    #[default]
    All,
    /// Some.
    Some(Sight),
}

/// Which customers a member sees who does not see all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// 担当者 whose customers are seen, the member among them; in order.
    pub owners: Vec<MemberId>,
    /// Teams whose customers without 担当者 are seen; in order.
    pub teams: Vec<TeamId>,
    /// Teams whose customers are seen whoever owns them; in order.
    pub whole: Vec<TeamId>,
}

impl Visible {
    /// What a member sees by the teams it belongs to: `teams` are those, `mates` all their members. Of several the widest
    /// counts; whoever is in none sees all.
    pub fn of(member: MemberId, teams: &[Team], mates: &[TeamMember]) -> Self {
        if teams.is_empty() || teams.iter().any(|team| team.sees == Sees::All) {
            return Self::All;
        }
        let leads = |team: TeamId| {
            let mut places = mates.iter();
            places.any(|mate| mate.team_id == team && mate.member_id == member && mate.leader)
        };
        let seen_whole = teams
            .iter()
            .filter(|team| team.sees == Sees::Team || leads(team.id));
        let whole: BTreeSet<TeamId> = seen_whole.map(|team| team.id).collect();
        let colleagues = mates.iter().filter(|mate| whole.contains(&mate.team_id));
        let mut owners: BTreeSet<MemberId> = colleagues.map(|mate| mate.member_id).collect();
        owners.insert(member);
        let teams: BTreeSet<TeamId> = teams.iter().map(|team| team.id).collect();
        Self::Some(Sight {
            owners: owners.into_iter().collect(),
            teams: teams.into_iter().collect(),
            whole: whole.into_iter().collect(),
        })
    }

    /// Whether a customer with this 担当者 and team is seen. One without 担当者 is seen by everyone in its team, without team
    /// by everyone, so that nobody's customer goes unanswered.
    pub fn shows(&self, owner: Option<MemberId>, team: Option<TeamId>) -> bool {
        let Self::Some(sight) = self else { return true };
        let of_team = |teams: &[TeamId]| team.is_some_and(|team| teams.contains(&team));
        match owner {
            Some(owner) => sight.owners.contains(&owner) || of_team(&sight.whole),
            None => team.is_none() || of_team(&sight.teams),
        }
    }
}

/// Looking teams up.
pub trait TeamQueries {
    /// All teams ordered by name, then id.
    fn teams(&mut self) -> Result<Vec<Team>, StoreError>;

    /// One team.
    fn team(&mut self, id: TeamId) -> Result<Option<Team>, StoreError>;

    /// Who belongs to which team, ordered by team, then member.
    fn team_members(&mut self) -> Result<Vec<TeamMember>, StoreError>;

    /// The teams of a member, in order of their ids, and everybody who belongs to one of them.
    fn teams_of(&mut self, member: MemberId) -> Result<(Vec<Team>, Vec<TeamMember>), StoreError>;
}

/// Changing teams.
pub trait TeamRepository {
    /// Makes one. A name that another has is `Taken("name")`.
    fn add_team(&mut self, details: &TeamDetails, at: Instant) -> Result<TeamId, StoreError>;

    /// Replaces name and sight; `false` if there is none. A name that another has is `Taken("name")`.
    fn revise_team(&mut self, id: TeamId, details: &TeamDetails) -> Result<bool, StoreError>;

    /// Takes the team from at most `limit` of its customers and conversations, and says from how many.
    fn release_team(&mut self, id: TeamId, limit: usize) -> Result<usize, StoreError>;

    /// Takes it away with who belonged to it; its customers and their conversations are without team then. `false` if there
    /// was none.
    fn delete_team(&mut self, id: TeamId) -> Result<bool, StoreError>;

    /// Says who belongs to a team, in place of who did. A member that does not exist is `Missing("member_id")`, a team
    /// `Missing("team_id")`.
    fn set_team_members(&mut self, id: TeamId, members: &[(MemberId, bool)]) -> Result<(), StoreError>;

    /// Gives a customer a team, or none; counts the version up; `false` if it was not there. A team that does not exist is
    /// `Missing("team_id")`.
    fn set_team(
        &mut self,
        customer: crate::customers::CustomerId,
        team: Option<TeamId>,
        at: Instant,
    ) -> Result<bool, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::{Sees, Team, TeamId, TeamMember, Visible};
    use crate::id::Id;
    use crate::instant::Instant;
    use crate::members::MemberId;

    const ME: i64 = 1;
    const MATE: i64 = 2;
    const STRANGER: i64 = 3;

    fn team(id: i64, sees: Sees) -> Team {
        Team {
            id: TeamId::new(id),
            name: format!("第{id}"),
            sees,
            created_at: Instant::from_unix_millis(0),
        }
    }

    fn place(team: i64, member: i64, leader: bool) -> TeamMember {
        TeamMember {
            team_id: TeamId::new(team),
            member_id: MemberId::new(member),
            leader,
        }
    }

    fn shows(visible: &Visible, owner: Option<i64>, team: Option<i64>) -> bool {
        visible.shows(owner.map(Id::new), team.map(Id::new))
    }

    #[test]
    fn without_a_team_or_in_one_that_sees_all_everything_is_seen() {
        let me = MemberId::new(ME);
        assert_eq!(Visible::of(me, &[], &[]), Visible::All);
        let teams = [team(1, Sees::Own), team(2, Sees::All)];
        let mates = [place(1, ME, false), place(2, ME, false)];
        let all = Visible::of(me, &teams, &mates);
        assert!(shows(&all, Some(STRANGER), Some(9)));
    }

    #[test]
    fn a_team_sees_the_customers_of_its_members_and_its_own() {
        let mates = [place(1, ME, false), place(1, MATE, false)];
        let visible = Visible::of(MemberId::new(ME), &[team(1, Sees::Team)], &mates);
        assert!(shows(&visible, Some(ME), None));
        assert!(shows(&visible, Some(MATE), Some(2)));
        assert!(shows(&visible, Some(STRANGER), Some(1)));
        assert!(!shows(&visible, Some(STRANGER), None));
        assert!(!shows(&visible, Some(STRANGER), Some(2)));
    }

    #[test]
    fn whoever_sees_only_the_own_sees_also_what_nobody_owns() {
        let mates = [place(1, ME, false), place(1, MATE, true)];
        let visible = Visible::of(MemberId::new(ME), &[team(1, Sees::Own)], &mates);
        assert!(shows(&visible, Some(ME), Some(2)));
        assert!(!shows(&visible, Some(MATE), Some(1)));
        assert!(shows(&visible, None, None));
        assert!(shows(&visible, None, Some(1)));
        assert!(!shows(&visible, None, Some(2)));
    }

    #[test]
    fn a_leader_sees_the_whole_team() {
        let mates = [place(1, ME, true), place(1, MATE, false)];
        let visible = Visible::of(MemberId::new(ME), &[team(1, Sees::Own)], &mates);
        assert!(shows(&visible, Some(MATE), None));
        assert!(shows(&visible, Some(STRANGER), Some(1)));
        assert!(!shows(&visible, Some(STRANGER), None));
    }

    #[test]
    fn of_several_teams_each_adds_what_it_sees() {
        let teams = [team(1, Sees::Own), team(2, Sees::Team)];
        let mates = [
            place(1, ME, false),
            place(1, STRANGER, false),
            place(2, ME, false),
            place(2, MATE, false),
        ];
        let visible = Visible::of(MemberId::new(ME), &teams, &mates);
        assert!(shows(&visible, Some(MATE), None));
        assert!(!shows(&visible, Some(STRANGER), None));
        assert!(shows(&visible, None, Some(1)) && shows(&visible, None, Some(2)));
    }
}
