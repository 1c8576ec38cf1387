//! What use cases answer when they do not do what was asked.

use crate::instant::Instant;
use crate::members::MemberId;
use crate::permissions::Denied;
use crate::ports::host::PasswordError;
use crate::ports::messenger::SendProblem;
use crate::ports::store::StoreError;
use crate::ports::vault::VaultError;
use crate::values::FieldError;

/// Why a use case did not do what was asked. Every kind has a stable [`Error::code`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The actor may not do this.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is no such record, or not for this actor.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// Some fields hold what they cannot.
    #[error("{} field(s) are wrong", .0.len())]
    Invalid(Vec<FieldError>),
    /// Somebody else has the same e-mail address, telephone number or user id.
    #[error("{} field(s) are somebody else's", .0.len())]
    Alike(Vec<FieldError>),
    /// The record is not as the condition of the request says.
    #[error("the record is not as expected")]
    NotAsExpected,
    /// The key came before with another request.
    #[error("the key was used for another request")]
    KeyUsed,
    /// Somebody else changed the record meanwhile.
    #[error("the record was changed in between")]
    Stale,
    /// The customer has no LINE WORKS user id, so nothing can be sent.
    #[error("the customer has no LINE WORKS user id")]
    NoAddress,
    /// Another member has the conversation: this one.
    #[error("another member has the conversation")]
    HandledBy(String),
    /// LINE WORKS cannot be used.
    #[error("the messenger cannot be used: {0:?}")]
    Messenger(SendProblem),
    /// Account or password are wrong, or the account is disabled; which of them is not told.
    #[error("wrong account or password")]
    SignInRefused,
    /// Too many wrong sign-ins; to be tried again after so many seconds.
    #[error("too many sign-ins")]
    TooManySignIns {
        /// Seconds to wait.
        retry_after: u32,
    },
    /// The sign-in that waited for the second factor is over: it took too long, or something about the account changed.
    #[error("the sign-in is over")]
    SignInOver,
    /// There is a second factor already.
    #[error("there is a second factor already")]
    FactorOn,
    /// The one-time link was used, has expired, or never was one.
    #[error("the link is not valid any more")]
    LinkSpent,
    /// The last administrator cannot be disabled or become a plain member.
    #[error("member {0} is the last administrator")]
    LastAdministrator(MemberId),
    /// A sealed value cannot be read or written.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The message may still be on its way; it can be sent again from this instant on.
    #[error("the message may still be on its way until {0}")]
    UnderWay(Instant),
    /// 削除の停止: deleting is held back.
    #[error("deleting is held back")]
    Held,
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl Error {
    /// Stable name: catalogue key (`error.<code>`), API code and command line code in one.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Denied(_) => "denied",
            Self::NotFound(_) => "not_found",
            Self::Invalid(_) => "invalid",
            Self::Alike(_) => "duplicate",
            Self::NotAsExpected => "precondition_failed",
            Self::KeyUsed => "idempotency_key_used",
            Self::Stale => "stale",
            Self::NoAddress => "no_address",
            Self::HandledBy(_) => "handled_by",
            Self::Messenger(_) => "messenger",
            Self::SignInRefused => "sign_in_refused",
            Self::TooManySignIns { .. } => "too_many_sign_ins",
            Self::SignInOver => "sign_in_over",
            Self::FactorOn => "factor_on",
            Self::LinkSpent => "link_spent",
            Self::LastAdministrator(_) => "last_administrator",
            Self::Vault(error) => error.code(),
            Self::UnderWay(_) => "under_way",
            Self::Held => "held",
            Self::Store(error) => error.code(),
        }
    }

    /// One field's problem.
    pub fn field(field: &'static str, problem: crate::values::Problem) -> Self {
        Self::Invalid(vec![FieldError::new(field, problem)])
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stale(_) => Self::Stale,
            StoreError::Taken(field) => Self::field(field, crate::values::Problem::Taken),
            StoreError::Missing(field) => Self::field(field, crate::values::Problem::Missing),
            other => Self::Store(other),
        }
    }
}

impl From<PasswordError> for Error {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::TooManySignIns { retry_after: 1 },
            PasswordError::Broken => Self::Store(StoreError::unavailable(error)),
        }
    }
}
