//! How the bot is set up in the tenant: what `GET`, `PUT` and `PATCH /bots/{botId}` show and change.

use serde_json::{Map, Value, json};

use crate::answers::Refusal;
use crate::config::SimulatorConfig;

/// Where the bot's callbacks go and what it is told of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BotSetup {
    /// Whether callbacks are switched on.
    pub callback_enabled: bool,
    /// Where they go; empty: nowhere.
    pub callback_url: String,
    /// The events that it is told of.
    pub channel_events: Vec<String>,
    /// The kinds of message that members may send to it.
    pub callback_events: Vec<String>,
}

const EVENTS: [&str; 8] = [
    "message", "postback", "join", "leave", "joined", "left", "begin", "end",
];
/// What a bot is told of unless it asks for more: `begin` and `end` are none of it.
const USUAL_EVENTS: usize = 6;
const KINDS: [&str; 7] = ["text", "location", "sticker", "image", "file", "audio", "video"];
const URL_LIMIT: usize = 1000;

/// Properties that can be given and mean nothing to the simulator, with whether `PUT` needs them.
const OTHERS: [(&str, bool); 12] = [
    ("botName", true),
    ("photoUrl", true),
    ("description", true),
    ("administrators", true),
    ("subadministrators", false),
    ("i18nBotNames", false),
    ("i18nPhotoUrls", false),
    ("i18nDescriptions", false),
    ("allowDomains", false),
    ("enableGroupJoin", false),
    ("defaultRichmenuId", false),
    ("useDomainScope", false),
];

impl BotSetup {
    pub(crate) fn of(config: &SimulatorConfig) -> Self {
        Self {
            callback_enabled: config.callback_url.is_some(),
            callback_url: config.callback_url.clone().unwrap_or_default(),
            channel_events: config.channel_events.clone(),
            callback_events: KINDS.map(String::from).to_vec(),
        }
    }

    /// As the service tells it.
    pub(crate) fn told(&self, config: &SimulatorConfig) -> Value {
        json!({
            "botId": config.bot_id,
            "botName": config.bot_name,
            "description": "",
            "administrators": ["00000000-0000-4000-8000-0000000000ad"],
            "enableCallback": self.callback_enabled,
            "callbackUrl": self.callback_url,
            "channelEvents": self.channel_events,
            "callbackEvents": self.callback_events,
            "enableGroupJoin": true,
        })
    }

    /// What is given replaces what is there (`PATCH`).
    pub(crate) fn patched(mut self, given: &Map<String, Value>) -> Result<Self, Refusal> {
        for (name, value) in given {
            self.take(name, value)?;
        }
        if self.callback_enabled && self.callback_url.is_empty() {
            return Err(Refusal::missing("callbackUrl"));
        }
        Ok(self)
    }

    /// What is given is all there is, and what is needed has to be given (`PUT`).
    pub(crate) fn replaced(given: &Map<String, Value>) -> Result<Self, Refusal> {
        let missing = OTHERS
            .iter()
            .find(|(name, needed)| *needed && !given.contains_key(*name));
        if let Some((name, _)) = missing {
            return Err(Refusal::missing(name));
        }
        let usual = Self {
            channel_events: words(&EVENTS[..USUAL_EVENTS]),
            callback_events: words(&KINDS),
            ..Self::default()
        };
        usual.patched(given)
    }

    fn take(&mut self, name: &str, value: &Value) -> Result<(), Refusal> {
        match name {
            "enableCallback" => {
                let on = value.as_bool();
                self.callback_enabled =
                    on.ok_or_else(|| Refusal::invalid("enableCallback must be a boolean."))?;
            }
            "callbackUrl" => self.callback_url = url(value)?,
            "channelEvents" => self.channel_events = chosen(name, value, &EVENTS)?,
            "callbackEvents" => self.callback_events = chosen(name, value, &KINDS)?,
            other if OTHERS.iter().any(|(known, _)| *known == other) => {}
            other => return Err(Refusal::invalid(format!("{other} is not a defined property."))),
        }
        Ok(())
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// An https URL, or none. This machine is reached without TLS too, for trials.
fn url(value: &Value) -> Result<String, Refusal> {
    let text = value.as_str();
    let text = text.ok_or_else(|| Refusal::invalid("callbackUrl must be a text."))?;
    if text.chars().count() > URL_LIMIT {
        return Err(Refusal::too_long("callbackUrl", URL_LIMIT));
    }
    let taken = ["https://", "http://127.0.0.1", "http://localhost", "http://[::1]"];
    if text.is_empty() || taken.iter().any(|start| text.starts_with(start)) {
        Ok(text.to_owned())
    } else {
        Err(Refusal::invalid("callbackUrl must be an https URL."))
    }
}

fn chosen(name: &str, value: &Value, choices: &[&str]) -> Result<Vec<String>, Refusal> {
    let wrong = || Refusal::invalid(format!("{name} must be a list of defined values."));
    let given = value.as_array().ok_or_else(wrong)?;
    given
        .iter()
        .map(|item| {
            let word = item.as_str().filter(|word| choices.contains(word));
            word.map(str::to_owned).ok_or_else(wrong)
        })
        .collect()
}
