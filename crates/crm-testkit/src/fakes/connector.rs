//! A connector without a service.

use std::sync::Mutex;

use async_trait::async_trait;
use crm_domain::connection::{ConnectionField, ConnectionValues};
use crm_domain::instant::Instant;
use crm_domain::ports::connector::{
    BotSetup, ConnectionState, Connector, FixedValue, LineTrouble, PastedEnv, Standing, TokenSeen,
};
use crm_domain::ports::messenger::SendProblem;
use crm_domain::values::{FieldError, Problem};

use super::lock;

/// Takes every bot id of digits; its bot is what it was told to be.
#[derive(Debug, Default)]
pub struct FakeConnector(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    version: i64,
    values: ConnectionValues,
    fixed: Vec<FixedValue>,
    bot: BotSetup,
    trouble: Option<SendProblem>,
}

/// The address that it wants registered.
pub const CALLBACK_URL: &str = "https://crm.example/webhook";

impl FakeConnector {
    /// The values in use.
    pub fn values(&self) -> ConnectionValues {
        lock(&self.0).values.clone()
    }

    /// Lets the environment set a field.
    pub fn fix(&self, field: ConnectionField, value: &str) {
        lock(&self.0).fixed.push(FixedValue {
            field,
            value: (!field.is_secret()).then(|| value.to_owned()),
            origin: "environment".to_owned(),
        });
    }

    /// The bot at the service.
    pub fn bot(&self) -> BotSetup {
        lock(&self.0).bot.clone()
    }

    /// Sets the bot at the service.
    pub fn set_bot(&self, bot: BotSetup) {
        lock(&self.0).bot = bot;
    }

    /// Every request meets this from now on.
    pub fn fail(&self, problem: Option<SendProblem>) {
        lock(&self.0).trouble = problem;
    }

    fn asked(&self) -> Result<(), LineTrouble> {
        let trouble = lock(&self.0).trouble;
        trouble.map_or(Ok(()), |problem| {
            Err(LineTrouble {
                at: Instant::from_unix_millis(0),
                problem,
                words: String::new(),
            })
        })
    }
}

#[async_trait]
impl Connector for FakeConnector {
    fn fixed(&self) -> Vec<FixedValue> {
        lock(&self.0).fixed.clone()
    }

    fn check(&self, values: &ConnectionValues) -> Vec<FieldError> {
        let id = values.get(ConnectionField::BotId).unwrap_or_default();
        let digits = id.chars().all(|c| c.is_ascii_digit());
        let wrong = (!digits).then(|| FieldError::new("bot_id", Problem::Malformed));
        wrong.into_iter().collect()
    }

    fn connect(&self, version: i64, values: &ConnectionValues) {
        let mut inner = lock(&self.0);
        inner.version = version;
        inner.values = values.clone();
    }

    fn version(&self) -> i64 {
        lock(&self.0).version
    }

    fn standing(&self) -> Standing {
        let bot = lock(&self.0)
            .values
            .get(ConnectionField::BotId)
            .map(str::to_owned);
        Standing {
            state: bot.map_or(ConnectionState::NotSetUp, |bot| ConnectionState::Ready { bot }),
            ..Standing::default()
        }
    }

    fn callback_urls(&self) -> Vec<String> {
        vec![CALLBACK_URL.to_owned()]
    }

    fn read_env(&self, _: &str) -> PastedEnv {
        PastedEnv::default()
    }

    async fn renew_token(&self) -> Result<TokenSeen, LineTrouble> {
        self.asked()?;
        Ok(TokenSeen {
            until: None,
            scope: "bot".to_owned(),
        })
    }

    async fn read_bot(&self) -> Result<BotSetup, LineTrouble> {
        self.asked()?;
        Ok(self.bot())
    }

    async fn change_bot(&self, setup: &BotSetup) -> Result<(), LineTrouble> {
        self.asked()?;
        self.set_bot(setup.clone());
        Ok(())
    }
}
