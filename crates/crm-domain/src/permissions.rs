//! Who may do what: pure, decided here and nowhere else. The whole table is a reviewed snapshot.

use crate::members::{Grants, MemberId, Role, Scopes, TokenId};
use crate::sends::Author;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A person in the web page.
    Member {
        /// Who.
        id: MemberId,
        /// The name shown.
        name: String,
        /// What the person may do.
        role: Role,
        /// What the person may do beyond the role.
        grants: Grants,
    },
    /// A program with a token, acting for a member.
    Token {
        /// The token.
        token: TokenId,
        /// Its owner.
        id: MemberId,
        /// The owner's name.
        name: String,
        /// What the owner may do.
        role: Role,
        /// What the owner may do beyond the role.
        grants: Grants,
        /// What of it the token may be used for.
        scopes: Scopes,
    },
    /// The command line, with the system's user name: whoever can read the database file may do everything.
    Operator {
        /// The system's user name.
        name: String,
    },
    /// Background work, by its name.
    Job(&'static str),
    /// LINE WORKS itself, by a verified callback.
    Platform,
}

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// See companies, customers and their conversations.
    ViewRecords,
    /// Add and change companies and customers.
    EditRecords,
    /// Move companies and customers to the trash.
    DeleteRecords,
    /// Send messages.
    SendMessages,
    /// Take conversations, hand them over, close them.
    HandleConversations,
    /// Delete messages and bring them back.
    DeleteMessages,
    /// Record what customers said.
    RecordCallbacks,
    /// Work the queue of messages on their way.
    DeliverMessages,
    /// Add, change and disable members.
    ManageMembers,
    /// Make and revoke the tokens of anybody.
    ManageTokens,
    /// Make teams, and say who belongs to them and what they see.
    ManageTeams,
    /// Set up LINE WORKS.
    ManageConnection,
    /// Say how long things are kept, hold back their deletion, and give out all that is held about a person.
    ManagePrivacy,
    /// Delete a record for good.
    EraseRecords,
    /// See who did what.
    ViewAudit,
    /// Try the callback's path and see how things stand.
    Diagnose,
    /// Bring in data from other systems.
    ImportRecords,
    /// Take whole lists out.
    ExportRecords,
    /// Take backups, put them back, and let work go on afterwards.
    ManageBackups,
    /// Keep house: seal the audit log, delete what is over its time.
    KeepHouse,
    /// Carry what changed to open pages, whoever has them open.
    RelayEvents,
    /// See how the program fares: counts and times, nothing of a person.
    Measure,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 22] = [
        Self::ViewRecords,
        Self::EditRecords,
        Self::DeleteRecords,
        Self::SendMessages,
        Self::HandleConversations,
        Self::DeleteMessages,
        Self::RecordCallbacks,
        Self::DeliverMessages,
        Self::ManageMembers,
        Self::ManageTokens,
        Self::ManageTeams,
        Self::ManageConnection,
        Self::ManagePrivacy,
        Self::EraseRecords,
        Self::ViewAudit,
        Self::Diagnose,
        Self::ImportRecords,
        Self::ExportRecords,
        Self::ManageBackups,
        Self::KeepHouse,
        Self::RelayEvents,
        Self::Measure,
    ];

    /// Whether a token with these scopes may be used for it. None administers: whoever finds one cannot make more of them,
    /// let others in, or lock people out.
    fn within(self, scopes: Scopes) -> bool {
        match self {
            Self::ManageMembers
            | Self::ManageTokens
            | Self::ManageTeams
            | Self::ManageConnection
            | Self::ManagePrivacy
            | Self::EraseRecords
            | Self::ManageBackups => false,
            Self::ViewRecords | Self::ExportRecords | Self::ViewAudit | Self::Measure => scopes.read,
            Self::SendMessages => scopes.send,
            _ => scopes.write,
        }
    }
}

/// The actor may not do this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not allowed")]
pub struct Denied(pub Action);

impl Actor {
    /// Whether the actor may do this.
    pub fn may(&self, action: Action) -> Result<(), Denied> {
        let allowed = match self {
            Self::Member { role, grants, .. } => member_may(*role, *grants, action),
            Self::Token {
                role, grants, scopes, ..
            } => action.within(*scopes) && member_may(*role, *grants, action),
            Self::Operator { .. } => !matches!(action, Action::RecordCallbacks),
            Self::Job(_) => matches!(
                action,
                Action::RecordCallbacks
                    | Action::DeliverMessages
                    | Action::KeepHouse
                    | Action::RelayEvents
                    | Action::Measure
            ),
            Self::Platform => matches!(action, Action::RecordCallbacks),
        };
        if allowed { Ok(()) } else { Err(Denied(action)) }
    }

    /// How the actor is named beside what it sends.
    pub fn author(&self) -> Author {
        match self {
            Self::Member { id, name, .. } | Self::Token { id, name, .. } => Author {
                member_id: Some(*id),
                name: name.clone(),
            },
            Self::Operator { name } => Author {
                member_id: None,
                name: name.clone(),
            },
            Self::Job(name) => Author {
                member_id: None,
                name: (*name).to_owned(),
            },
            Self::Platform => Author {
                member_id: None,
                name: "LINE WORKS".to_owned(),
            },
        }
    }

    /// The member who acts, in person or by a token.
    pub fn member_id(&self) -> Option<MemberId> {
        match self {
            Self::Member { id, .. } | Self::Token { id, .. } => Some(*id),
            _ => None,
        }
    }
}

fn member_may(role: Role, grants: Grants, action: Action) -> bool {
    match action {
        Action::ViewRecords | Action::Measure => true,
        Action::EditRecords
        | Action::DeleteRecords
        | Action::SendMessages
        | Action::HandleConversations
        | Action::DeleteMessages => role != Role::Viewer,
        Action::ImportRecords => role == Role::Admin || grants.import && role == Role::Member,
        Action::ExportRecords => role == Role::Admin || grants.export,
        Action::RecordCallbacks | Action::DeliverMessages | Action::KeepHouse | Action::RelayEvents => false,
        Action::ManageMembers
        | Action::ManageTokens
        | Action::ManageTeams
        | Action::ManageConnection
        | Action::ManagePrivacy
        | Action::EraseRecords
        | Action::ManageBackups
        | Action::ViewAudit
        | Action::Diagnose => role == Role::Admin,
    }
}
