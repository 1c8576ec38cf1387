//! Profiles: who stands behind a LINE WORKS user id, and who can be chosen.

use async_trait::async_trait;

use super::messenger::SendProblem;
use crate::values::LineUserId;

/// A member as the directory knows them. Every text may be empty, and holds neither control characters nor blanks at
/// its ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The id that callbacks carry.
    pub user_id: LineUserId,
    /// Name and reading.
    pub name: ProfileName,
    /// The login id; it can change.
    pub email: String,
}

/// A name as the directory has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileName {
    /// 姓.
    pub last: String,
    /// 名.
    pub first: String,
    /// セイ.
    pub last_kana: String,
    /// メイ.
    pub first_kana: String,
}

impl ProfileName {
    /// 姓 名, or what there is of it; empty if nothing is known.
    pub fn full(&self) -> String {
        joined(&self.last, &self.first)
    }

    /// セイ メイ, or what there is of it.
    pub fn full_kana(&self) -> String {
        joined(&self.last_kana, &self.first_kana)
    }
}

fn joined(last: &str, first: &str) -> String {
    format!("{last} {first}").trim().to_owned()
}

/// A page of the member list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfilePage {
    /// The members, in the directory's order.
    pub members: Vec<Profile>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

/// A directory of members. It never has anything to do with whether messages can be sent.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ProfileSource: Send + Sync {
    /// The member with this user id or login id.
    async fn look_up(&self, id: &LineUserId) -> Result<Profile, ProfileError>;

    /// A page of all members: the first, or the one that `cursor` of the page before names.
    async fn list(&self, cursor: Option<String>) -> Result<ProfilePage, ProfileError>;
}

/// Why a directory did not say, by what a caller can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// LINE WORKS is not set up.
    #[error("LINE WORKS is not set up")]
    NotConfigured,
    /// The app may not ask: a scope has to be ticked in the Developer Console.
    #[error("the app lacks the scope for this")]
    ScopeMissing,
    /// There is no such member.
    #[error("no such member")]
    NotFound,
    /// Not now: to be asked again, after `wait` seconds if the service named a time.
    #[error("not now: {problem:?}")]
    Later {
        /// What happened.
        problem: SendProblem,
        /// Seconds to wait.
        wait: Option<u32>,
    },
    /// Refused for a reason that waiting does not mend.
    #[error("refused: {0:?}")]
    Refused(SendProblem),
}

impl ProfileError {
    /// Stable name for stores, catalogues, JSON and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotConfigured => "not_configured",
            Self::ScopeMissing => Self::SCOPE_MISSING,
            Self::NotFound => "not_found",
            Self::Later { .. } => "later",
            Self::Refused(_) => "refused",
        }
    }

    /// The code of [`ProfileError::ScopeMissing`].
    pub const SCOPE_MISSING: &'static str = "scope_missing";
}

/// The directory of a program that has none.
#[derive(Debug, Clone, Copy)]
pub struct NoProfiles;

#[async_trait]
impl ProfileSource for NoProfiles {
    async fn look_up(&self, _: &LineUserId) -> Result<Profile, ProfileError> {
        Err(ProfileError::NotConfigured)
    }

    async fn list(&self, _: Option<String>) -> Result<ProfilePage, ProfileError> {
        Err(ProfileError::NotConfigured)
    }
}
