//! The connector: LINE WORKS set up, changed and looked at while the program runs.

use async_trait::async_trait;

use super::messenger::SendProblem;
use crate::connection::{ConnectionField, ConnectionValues};
use crate::instant::Instant;
use crate::values::FieldError;

/// Connects to LINE WORKS by what was set up in the pages and by what the environment sets, which wins.
#[async_trait]
pub trait Connector: Send + Sync {
    /// What the environment sets: nobody can change it in the pages.
    fn fixed(&self) -> Vec<FixedValue>;

    /// What is wrong with these values, taken together with what the environment sets; empty if nothing is. Values that set
    /// nothing up are not wrong. Touches no network.
    fn check(&self, values: &ConnectionValues) -> Vec<FieldError>;

    /// Uses these values, together with what the environment sets, from now on; `version` is that of the store. What
    /// cannot be used is not: then there is no connection, and [`Connector::standing`] says why.
    fn connect(&self, version: i64, values: &ConnectionValues);

    /// The version last given to [`Connector::connect`]; 0 before.
    fn version(&self) -> i64;

    /// How things stand.
    fn standing(&self) -> Standing;

    /// Where LINE WORKS may send callbacks, as the settings have it; the first is the one to register.
    fn callback_urls(&self) -> Vec<String>;

    /// What a whole `.env` says.
    fn read_env(&self, text: &str) -> PastedEnv;

    /// Throws the token in use away and asks for a new one.
    async fn renew_token(&self) -> Result<TokenSeen, LineTrouble>;

    /// What LINE WORKS has about the bot.
    async fn read_bot(&self) -> Result<BotSetup, LineTrouble>;

    /// Changes the bot at LINE WORKS; its name is not touched.
    async fn change_bot(&self, setup: &BotSetup) -> Result<(), LineTrouble>;
}

/// A value that the environment sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedValue {
    /// Of which field.
    pub field: ConnectionField,
    /// The value; `None` for secrets.
    pub value: Option<String>,
    /// Where it comes from: `environment`, `.env`, or the path of a file.
    pub origin: String,
}

/// How things stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether messages can be sent.
    pub state: ConnectionState,
    /// The token in use; `None` until the first is needed.
    pub token: Option<TokenSeen>,
    /// What went wrong last since the connection was made.
    pub trouble: Option<LineTrouble>,
}

/// Whether there is a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ConnectionState {
    /// Nothing is set up.
    #[default]
    NotSetUp,
    /// What is set up cannot be used.
    Unusable(Vec<FieldError>),
    /// There is one, to this bot.
    Ready {
        /// The bot's id.
        bot: String,
    },
}

/// A token as far as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSeen {
    /// Until when LINE WORKS takes it, if it said so.
    pub until: Option<Instant>,
    /// The scopes granted; empty if it did not say.
    pub scope: String,
}

/// A request to LINE WORKS that failed. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem:?} {words}")]
pub struct LineTrouble {
    /// When.
    pub at: Instant,
    /// What happened.
    pub problem: SendProblem,
    /// The service's own words: status, code, description.
    pub words: String,
}

/// How a bot is set up at LINE WORKS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BotSetup {
    /// Its name.
    pub name: String,
    /// Where callbacks go; empty if nowhere.
    pub callback_url: String,
    /// Whether callbacks are switched on.
    pub callback_enabled: bool,
    /// The events that the bot is told of: `message`, `begin`, `end`, …
    pub channel_events: Vec<String>,
    /// The kinds of message that members may send to it: `text`, `image`, …
    pub callback_events: Vec<String>,
}

/// What a pasted `.env` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastedEnv {
    /// The values for the form.
    pub values: ConnectionValues,
    /// Names that mean nothing here.
    pub unknown: Vec<String>,
    /// Names that are ours and can be set in the environment only.
    pub elsewhere: Vec<String>,
    /// The numbers of lines that are none.
    pub bad_lines: Vec<usize>,
    /// The file that holds the private key, which has to be chosen beside.
    pub key_file: Option<String>,
}

/// No connection: for programs that have no messenger.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoConnector;

/// Why there is no answer without a connection.
fn nobody() -> LineTrouble {
    LineTrouble {
        at: Instant::from_unix_millis(0),
        problem: SendProblem::NotConfigured,
        words: String::new(),
    }
}

#[async_trait]
impl Connector for NoConnector {
    fn fixed(&self) -> Vec<FixedValue> {
        Vec::new()
    }

    fn check(&self, _: &ConnectionValues) -> Vec<FieldError> {
        Vec::new()
    }

    fn connect(&self, _: i64, _: &ConnectionValues) {}

    fn version(&self) -> i64 {
        0
    }

    fn standing(&self) -> Standing {
        Standing::default()
    }

    fn callback_urls(&self) -> Vec<String> {
        Vec::new()
    }

    fn read_env(&self, _: &str) -> PastedEnv {
        PastedEnv::default()
    }

    async fn renew_token(&self) -> Result<TokenSeen, LineTrouble> {
        Err(nobody())
    }

    async fn read_bot(&self) -> Result<BotSetup, LineTrouble> {
        Err(nobody())
    }

    async fn change_bot(&self, _: &BotSetup) -> Result<(), LineTrouble> {
        Err(nobody())
    }
}
