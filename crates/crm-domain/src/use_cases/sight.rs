//! Who sees what: each unit of work looks it up anew, so that what was changed holds from the next request on.

use crate::conversations::{Conversation, ConversationId};
use crate::error::Error;
use crate::members::{MemberId, Role};
use crate::permissions::Actor;
use crate::ports::store::{ReadUnit, StoreError};
use crate::teams::Visible;

/// Whose eyes look: copied into units of work, where it becomes [`Visible`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// Administrators, the command line, background work.
    Everything,
    /// A member.
    Member(MemberId),
}

impl Reader {
    /// The eyes of an actor.
    pub(super) fn of(actor: &Actor) -> Self {
        match actor {
            Actor::Member { id, role, .. } | Actor::Token { id, role, .. } if *role != Role::Admin => {
                Self::Member(*id)
            }
            _ => Self::Everything,
        }
    }

    /// The eyes of a member who does not act now.
    pub(super) fn member(id: MemberId, role: Role) -> Self {
        match role {
            Role::Admin => Self::Everything,
            Role::Member | Role::Viewer => Self::Member(id),
        }
    }

    /// What they see.
    pub(super) fn visible<U: ReadUnit + ?Sized>(self, unit: &mut U) -> Result<Visible, StoreError> {
        let Self::Member(id) = self else {
            return Ok(Visible::All);
        };
        let (teams, mates) = unit.teams().teams_of(id)?;
        Ok(Visible::of(id, &teams, &mates))
    }

    /// A conversation that they see, or the error that says there is none.
    pub(super) fn talk<U: ReadUnit + ?Sized>(
        self,
        unit: &mut U,
        id: ConversationId,
    ) -> Result<Conversation, Error> {
        let visible = self.visible(unit)?;
        let talk = unit.conversations().conversation(id)?;
        talk.filter(|talk| shows(&visible, talk))
            .ok_or(Error::NotFound("conversation"))
    }
}

/// Whether a conversation is seen; one of nobody's customer is, by everyone.
pub(super) fn shows(visible: &Visible, talk: &Conversation) -> bool {
    let standing = &talk.standing;
    standing.customer_id.is_none() || visible.shows(standing.owner_id, standing.team_id)
}
