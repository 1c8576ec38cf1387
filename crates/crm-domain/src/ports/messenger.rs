//! Messengers: how a message of ours leaves.

use std::sync::Arc;

use async_trait::async_trait;

use crate::values::LineUserId;

/// A text to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingText {
    /// The bot that says it.
    pub bot: String,
    /// To whom.
    pub to: LineUserId,
    /// What: 1 to 2,000 characters.
    pub text: String,
}

/// Sends messages on one channel.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Messenger: Send + Sync {
    /// The id of the bot that speaks here.
    fn bot(&self) -> String;

    /// Sends a text and waits for the answer; `Ok` when the service accepted it. Never sends twice.
    async fn send_text(&self, message: &OutgoingText) -> Result<(), SendError>;
}

/// The channels by which messages leave. Settings may change while the program runs, so it is asked each time.
pub trait Messengers: Send + Sync {
    /// The messenger of LINE WORKS; `None` when it is not set up.
    fn line_works(&self) -> Option<Arc<dyn Messenger>>;
}

/// Why a message is not known to be accepted, by what a caller can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Nothing left us: sending again cannot double it. `wait` is how many seconds the service asked for.
    #[error("not sent: {problem:?}")]
    NotSent {
        /// What happened.
        problem: SendProblem,
        /// Seconds to wait before the next try, if the service said so.
        wait: Option<u32>,
    },
    /// The service refused it for good.
    #[error("refused: {0:?}")]
    Refused(SendProblem),
    /// It went out, and what became of it is not known.
    #[error("outcome unknown: {0:?}")]
    Unknown(SendProblem),
}

impl SendError {
    /// What happened.
    pub fn problem(&self) -> SendProblem {
        match self {
            Self::NotSent { problem, .. } | Self::Refused(problem) | Self::Unknown(problem) => *problem,
        }
    }
}

/// What happened to a message; each has its sentence in the catalogues (`send_problem.<code>`): what, why, what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SendProblem {
    /// LINE WORKS is not set up.
    NotConfigured,
    /// No connection: name not resolved, refused, TLS failed.
    NoConnection,
    /// The access token could not be had: client id, secret, service account or key are wrong.
    CredentialsRefused,
    /// The scope is not ticked on the app (`invalid_scope`).
    ScopeRefused,
    /// The token service is in trouble or answers nonsense.
    TokenUnavailable,
    /// 401 also with a fresh token.
    Unauthorized,
    /// 400: the text or the user id is not accepted.
    BadRequest,
    /// 403: the bot is not added or published, or the person is outside its range.
    Forbidden,
    /// 404: no such person or bot.
    NotFound,
    /// 409 or another 4xx.
    Rejected,
    /// 3xx: the address of the API is wrong.
    Redirected,
    /// 429: too many messages in a minute.
    RateLimited,
    /// 5xx: LINE WORKS is in trouble.
    ServerError,
    /// No answer in time.
    TimedOut,
    /// The line was cut before the answer.
    LineCut,
    /// This program ended while the message was on its way.
    Interrupted,
}

impl SendProblem {
    /// Every problem.
    pub const ALL: [Self; 16] = [
        Self::NotConfigured,
        Self::NoConnection,
        Self::CredentialsRefused,
        Self::ScopeRefused,
        Self::TokenUnavailable,
        Self::Unauthorized,
        Self::BadRequest,
        Self::Forbidden,
        Self::NotFound,
        Self::Rejected,
        Self::Redirected,
        Self::RateLimited,
        Self::ServerError,
        Self::TimedOut,
        Self::LineCut,
        Self::Interrupted,
    ];

    /// Stable name for stores, catalogues, JSON and logs.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotConfigured => "not_configured",
            Self::NoConnection => "no_connection",
            Self::CredentialsRefused => "credentials_refused",
            Self::ScopeRefused => "scope_refused",
            Self::TokenUnavailable => "token_unavailable",
            Self::Unauthorized => "unauthorized",
            Self::BadRequest => "bad_request",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Rejected => "rejected",
            Self::Redirected => "redirected",
            Self::RateLimited => "rate_limited",
            Self::ServerError => "server_error",
            Self::TimedOut => "timed_out",
            Self::LineCut => "line_cut",
            Self::Interrupted => "interrupted",
        }
    }

    /// The problem of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.code() == code)
    }
}
