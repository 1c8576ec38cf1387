//! Messengers: how a message of ours leaves.

use std::sync::Arc;
use std::time::Instant as Moment;

use async_trait::async_trait;
use time::Duration;

use crate::instant::Instant;
use crate::send_budgets::BudgetKey;
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

    /// Against whose limit its texts count.
    fn budget(&self) -> BudgetKey;

    /// How many texts a minute the settings allow; `None` when the answers tell.
    fn rate_limit(&self) -> Option<u32>;

    /// How long a text may take, from [`Messenger::prepare`] to its answer: nothing of it leaves later.
    fn patience(&self) -> Duration;

    /// How old the access token at hand is; `None` while there is none.
    fn token_age(&self) -> Option<Duration> {
        None
    }

    /// Makes sure that a text can leave at once: an access token is there. Sends nothing; errs with
    /// [`SendError::NotSent`] only. Answers by when the text must have been answered.
    async fn prepare(&self) -> Result<Moment, SendError>;

    /// Sends a text and waits for the answer, at the longest until `by`; `Ok` when the service accepted it. One request at
    /// most: a token that is refused is [`SendProblem::Unauthorized`], and the next try gets a new one. A program that was
    /// stopped until after `by` sends nothing.
    async fn send_text(&self, message: &OutgoingText, by: Moment) -> Answered;
}

/// What came of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Whether it was accepted.
    pub outcome: Result<(), SendError>,
    /// What the answer said besides; nothing when none came.
    pub heard: Heard,
}

impl Answered {
    /// An outcome about which nothing else is known.
    pub fn only(outcome: Result<(), SendError>) -> Self {
        Self {
            outcome,
            heard: Heard::default(),
        }
    }
}

/// What the headers of an answer say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heard {
    /// The time by the service's clock.
    pub at: Option<Instant>,
    /// How the operation's limit stands.
    pub rate: Option<RateLimit>,
}

/// How an operation's limit stands, as far as the service says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests a minute.
    pub limit: Option<u32>,
    /// Requests left.
    pub remaining: Option<u32>,
    /// Seconds until there are all of them again.
    pub reset: Option<u32>,
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
    /// The seconds that the service asks to wait, for what has not left.
    pub fn wait(&self) -> Option<u32> {
        match self {
            Self::NotSent { wait, .. } => *wait,
            Self::Refused(_) | Self::Unknown(_) => None,
        }
    }

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
    /// 401: a new token is tried once; then it is the end.
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
    /// A backup was put back, or the database copied: whether it left since is not known here.
    PutBack,
}

impl SendProblem {
    /// Every problem.
    pub const ALL: [Self; 17] = [
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
        Self::PutBack,
    ];

    /// The codes of those that concern the line and no message: what waits for one of them waits for all messages alike.
    pub const OF_THE_LINE: [&str; 2] = ["no_connection", "token_unavailable"];

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
            Self::PutBack => "put_back",
        }
    }

    /// The problem of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.code() == code)
    }
}
