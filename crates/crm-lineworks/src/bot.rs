//! Looking at the set-up from our side, and changing the bot's half of it.

use crm_domain::ports::connector::{BotSetup, LineTrouble, TokenSeen};
use crm_domain::ports::messenger::SendProblem;
use serde::Deserialize;
use serde_json::json;

use crate::client::LineWorks;
use crate::encode;
use crate::outcome::ServiceTrouble;
use crate::service::Service;

/// The bot as LINE WORKS tells it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    #[serde(default, deserialize_with = "or_default")]
    bot_name: String,
    #[serde(default, deserialize_with = "or_default")]
    callback_url: String,
    #[serde(default, deserialize_with = "or_default")]
    enable_callback: bool,
    #[serde(default, deserialize_with = "or_default")]
    channel_events: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    callback_events: Vec<String>,
}

/// Takes `null` as the empty value.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl From<Told> for BotSetup {
    fn from(told: Told) -> Self {
        Self {
            name: told.bot_name,
            callback_url: told.callback_url,
            callback_enabled: told.enable_callback,
            channel_events: told.channel_events,
            callback_events: told.callback_events,
        }
    }
}

impl LineWorks {
    /// Throws the token in memory away and asks for a new one: shows whether id, secret, service account, key and scope are
    /// right.
    pub async fn renew_token(&self) -> Result<TokenSeen, ServiceTrouble> {
        self.ask(Service::renew_token).await
    }

    /// Asks what LINE WORKS knows about the bot: shows whether the bot id is right and where callbacks go.
    pub async fn bot_setup(&self) -> Result<BotSetup, ServiceTrouble> {
        let asked = self.ask(|service, deadline| {
            let bot = encode::percent(&service.bot);
            let body = service.get(&format!("/bots/{bot}"), deadline)?;
            let told: Result<Told, _> = serde_json::from_slice(&body);
            told.map_err(|_| ServiceTrouble::unanswered(SendProblem::ServerError))
        });
        asked.await.map(BotSetup::from)
    }

    /// Changes where the bot's callbacks go and what it is told of; everything else about it stays. Needs the scope `bot`.
    pub async fn change_bot(&self, setup: &BotSetup) -> Result<(), ServiceTrouble> {
        let body = json!({
            "enableCallback": setup.callback_enabled,
            "callbackUrl": setup.callback_url,
            "channelEvents": setup.channel_events,
            "callbackEvents": setup.callback_events,
        });
        let body = body.to_string();
        self.ask(move |service, deadline| {
            let bot = encode::percent(&service.bot);
            service.patch(&format!("/bots/{bot}"), &body, deadline)
        })
        .await
    }

    /// The token in use, and what went wrong last.
    pub fn standing(&self) -> (Option<TokenSeen>, Option<LineTrouble>) {
        self.service().journal.read()
    }

    /// The bot's id.
    pub fn bot_id(&self) -> &str {
        &self.reader.bot
    }
}
