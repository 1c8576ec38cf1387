//! Looking at the set-up from our side, for `crm doctor`.

use crm_domain::ports::messenger::SendProblem;
use serde::Deserialize;

use crate::client::LineWorks;
use crate::encode;
use crate::outcome::ServiceTrouble;
use crate::service::Service;
use crate::token_request::TokenInfo;

/// The bot as LINE WORKS has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BotInfo {
    /// Its name.
    #[serde(rename = "botName", default)]
    pub name: String,
    /// Where callbacks go; empty if nowhere.
    #[serde(default, deserialize_with = "or_default")]
    pub callback_url: String,
    /// Whether callbacks are switched on.
    #[serde(rename = "enableCallback", default, deserialize_with = "or_default")]
    pub callback_enabled: bool,
    /// The events that the bot is told of: `message`, `begin`, `end`, …
    #[serde(default, deserialize_with = "or_default")]
    pub channel_events: Vec<String>,
    /// The kinds of message that members may send to it: `text`, `image`, …
    #[serde(default, deserialize_with = "or_default")]
    pub callback_events: Vec<String>,
}

/// Takes `null` as the empty value.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl LineWorks {
    /// Asks for a token, whatever is in memory: shows whether id, secret, service account, key and scope are right.
    pub async fn check_token(&self) -> Result<TokenInfo, ServiceTrouble> {
        self.ask(Service::try_token).await
    }

    /// Asks what LINE WORKS knows about the bot: shows whether the bot id is right and where callbacks go.
    pub async fn bot_info(&self) -> Result<BotInfo, ServiceTrouble> {
        self.ask(|service, deadline| {
            let bot = encode::percent(&service.bot);
            let body = service.get(&format!("/bots/{bot}"), deadline)?;
            serde_json::from_slice(&body).map_err(|_| ServiceTrouble::unanswered(SendProblem::ServerError))
        })
        .await
    }
}
