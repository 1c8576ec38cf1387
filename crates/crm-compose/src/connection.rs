//! LINE WORKS while the program runs: what the environment sets, and beneath it what was set up in the pages.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use crm_domain::connection::{ConnectionField, ConnectionValues};
use crm_domain::permissions::Actor;
use crm_domain::ports::connector::{
    BotSetup, ConnectionState, Connector, FixedValue, LineTrouble, PastedEnv, Standing, TokenSeen,
};
use crm_domain::ports::host::Clock;
use crm_domain::ports::messenger::SendProblem;
use crm_domain::ports::tokens::TokenShelf;
use crm_domain::values::{FieldError, Problem};
use crm_lineworks::{ConfigError, LineWorks, ServiceTrouble, Switchboard};

use crate::composition::{Composition, config_of};
use crate::settings::{self, Need, Settings, SettingsError, Source};

/// Connects by the settings. The parts of the program that speak with LINE WORKS ask its [`Switchboard`].
pub struct Connection {
    board: Arc<Switchboard>,
    /// What the environment gives; empty where LINE WORKS was not asked for.
    source: Source,
    clock: Arc<dyn Clock>,
    tokens: Option<Arc<dyn TokenShelf>>,
    callback_urls: Vec<String>,
    present: Mutex<Present>,
}

#[derive(Default)]
struct Present {
    version: i64,
    state: ConnectionState,
}

/// Why no connection can be made.
enum Wrong {
    Settings(SettingsError),
    Config(ConfigError),
}

impl Connection {
    /// By what the environment gives alone; makes no connection yet.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Self {
        let urls = settings.listen.public_urls.iter();
        Self {
            board: Arc::default(),
            source: settings.connection.clone().unwrap_or_default(),
            clock,
            tokens: None,
            callback_urls: urls.map(|url| format!("{}/webhook", url.origin())).collect(),
            present: Mutex::default(),
        }
    }

    /// The same, with the access token that others on this shelf use too.
    #[must_use]
    pub(crate) fn sharing_tokens(mut self, tokens: Arc<dyn TokenShelf>) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Where the connection in use stands.
    pub fn board(&self) -> Arc<Switchboard> {
        Arc::clone(&self.board)
    }

    /// [`Connector::connect`]; says what is wrong with settings that set LINE WORKS up in part, if the environment has to
    /// do with it.
    pub(crate) fn connect_at_start(
        &self,
        version: i64,
        values: &ConnectionValues,
    ) -> Result<(), SettingsError> {
        match self.switch(version, values) {
            Err(Wrong::Settings(error)) if !self.source.fixed().is_empty() => Err(error),
            _ => Ok(()),
        }
    }

    fn switch(&self, version: i64, values: &ConnectionValues) -> Result<(), Wrong> {
        let made = self.make(values);
        let state = match &made {
            Ok(Some(line_works)) => ConnectionState::Ready {
                bot: line_works.bot_id().to_owned(),
            },
            Ok(None) => ConnectionState::NotSetUp,
            Err(wrong) => ConnectionState::Unusable(fields_of(wrong)),
        };
        *self.present() = Present { version, state };
        self.board.switch(made.as_ref().ok().cloned().flatten());
        made.map(drop)
    }

    fn make(&self, values: &ConnectionValues) -> Result<Option<Arc<LineWorks>>, Wrong> {
        let source = self.source.with_pages(values);
        let loaded = Settings::read(&source, Need::LineWorks).map_err(Wrong::Settings)?;
        let Some(line_works) = loaded.settings.line_works else {
            return Ok(None);
        };
        let (config, clock) = (config_of(&line_works), Arc::clone(&self.clock));
        let made = match &self.tokens {
            Some(tokens) => LineWorks::sharing_tokens(config, clock, Arc::clone(tokens)),
            None => LineWorks::new(config, clock),
        };
        made.map(|made| Some(Arc::new(made))).map_err(Wrong::Config)
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line_works(&self) -> Result<Arc<LineWorks>, LineTrouble> {
        self.board.present().ok_or_else(|| LineTrouble {
            at: self.clock.now(),
            problem: SendProblem::NotConfigured,
            words: String::new(),
        })
    }

    fn seen(&self, trouble: &ServiceTrouble) -> LineTrouble {
        trouble.seen(self.clock.now())
    }
}

fn fields_of(wrong: &Wrong) -> Vec<FieldError> {
    match wrong {
        Wrong::Settings(error) => settings::wrong_fields(&error.problems),
        Wrong::Config(error) => vec![field_of(*error)],
    }
}

/// The client's word for a field that is empty is one that the settings catch before.
fn field_of(error: ConfigError) -> FieldError {
    let problem = match error {
        ConfigError::KeyEncrypted => Problem::KeyEncrypted,
        ConfigError::KeyNotPrivate => Problem::KeyNotPrivate,
        ConfigError::KeyDamaged => Problem::KeyDamaged,
        ConfigError::KeyTooSmall => Problem::KeyTooSmall,
        ConfigError::KeyNotPem | ConfigError::Empty(_) | ConfigError::Address(_) => Problem::Malformed,
    };
    FieldError::new(ConnectionField::PrivateKey.code(), problem)
}

/// Ids of bots and domains are digits; only what is typed into the pages is held to it.
fn not_digits(values: &ConnectionValues) -> impl Iterator<Item = FieldError> {
    [ConnectionField::BotId, ConnectionField::DomainId]
        .into_iter()
        .filter(|field| {
            let value = values.get(*field).unwrap_or_default();
            !value.chars().all(|c| c.is_ascii_digit())
        })
        .map(|field| FieldError::new(field.code(), Problem::Malformed))
}

#[async_trait]
impl Connector for Connection {
    fn fixed(&self) -> Vec<FixedValue> {
        self.source.fixed()
    }

    fn check(&self, values: &ConnectionValues) -> Vec<FieldError> {
        let mut wrong: Vec<FieldError> = not_digits(values).collect();
        if let Err(made) = self.make(values) {
            for error in fields_of(&made) {
                if wrong.iter().all(|known| known.field != error.field) {
                    wrong.push(error);
                }
            }
        }
        wrong
    }

    fn connect(&self, version: i64, values: &ConnectionValues) {
        // What is wrong stands in the state.
        drop(self.switch(version, values));
    }

    fn version(&self) -> i64 {
        self.present().version
    }

    fn standing(&self) -> Standing {
        let state = self.present().state.clone();
        let (token, trouble) = self
            .board
            .present()
            .map_or((None, None), |line_works| line_works.standing());
        Standing {
            state,
            token,
            trouble,
        }
    }

    fn callback_urls(&self) -> Vec<String> {
        self.callback_urls.clone()
    }

    fn read_env(&self, text: &str) -> PastedEnv {
        settings::read_pasted(text)
    }

    async fn renew_token(&self) -> Result<TokenSeen, LineTrouble> {
        let asked = self.line_works()?.renew_token().await;
        asked.map_err(|trouble| self.seen(&trouble))
    }

    async fn read_bot(&self) -> Result<BotSetup, LineTrouble> {
        let asked = self.line_works()?.bot_setup().await;
        asked.map_err(|trouble| self.seen(&trouble))
    }

    async fn change_bot(&self, setup: &BotSetup) -> Result<(), LineTrouble> {
        let asked = self.line_works()?.change_bot(setup).await;
        asked.map_err(|trouble| self.seen(&trouble))
    }
}

/// The settings with what was set up in the pages, as far as the database can be read now.
pub async fn source_with_pages(source: &Source) -> Source {
    match stored_values(source).await {
        Some(values) => source.with_pages(&values),
        None => source.clone(),
    }
}

async fn stored_values(source: &Source) -> Option<ConnectionValues> {
    let loaded = Settings::read(source, Need::Store).ok()?;
    let parts = Composition::as_it_is(loaded.settings.without_line_works()).ok()?;
    let stored = parts.crm.stored_connection(&Actor::Job("connection")).await;
    Some(stored.ok()?.1)
}
