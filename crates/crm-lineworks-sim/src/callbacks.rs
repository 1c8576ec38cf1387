//! Callbacks as LINE WORKS sends them: every event and content type of its documentation, and the signature.
//!
//! A builder makes an [`Event`]; what is not said (domain, time) is filled in when it is delivered.
//!
//! ```
//! use crm_lineworks_sim::callbacks;
//!
//! let event = callbacks::text("0b1c2d3e-0000-4000-8000-000000000001", "見積もりを送ってください");
//! let body = event.body(40_000_001, time::OffsetDateTime::UNIX_EPOCH);
//! let signature = callbacks::sign("bot secret", &body);
//! assert_eq!(signature.len(), 44);
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde::Serialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

/// The value of `X-WORKS-Signature`: base64 of HMAC-SHA256 over the raw bytes, keyed by the bot secret.
pub fn sign(bot_secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, bot_secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, body))
}

/// How a delivery is signed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Signing {
    /// With the bot secret, as the service does.
    #[default]
    Right,
    /// With another secret: well formed and wrong.
    Wrong,
    /// Without the header.
    Missing,
    /// With this header value.
    Text(String),
}

/// What became of a delivered callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The HTTP status of the answer.
    pub status: u16,
    /// How long the answer took, in milliseconds.
    pub millis: u64,
    /// The body of the answer, cut at 64 KiB.
    pub body: String,
}

#[derive(Debug, Clone, Default, Serialize)]
struct Source {
    #[serde(rename = "userId", skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(rename = "channelId", skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    #[serde(rename = "domainId", skip_serializing_if = "Option::is_none")]
    domain: Option<i64>,
}

/// One callback event.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    #[serde(rename = "type")]
    kind: String,
    source: Source,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<String>>,
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl Event {
    fn new(kind: &str, user_id: Option<&str>, channel_id: Option<&str>) -> Self {
        Self {
            kind: kind.to_owned(),
            source: Source {
                user: user_id.map(str::to_owned),
                channel: channel_id.map(str::to_owned),
                domain: None,
            },
            issued_time: None,
            content: None,
            data: None,
            members: None,
            more: Map::new(),
        }
    }

    /// In this room; a message without one is a 1:1 message.
    #[must_use]
    pub fn in_channel(mut self, channel_id: &str) -> Self {
        self.source.channel = Some(channel_id.to_owned());
        self
    }

    /// From this domain instead of the simulator's.
    #[must_use]
    pub fn from_domain(mut self, domain_id: i64) -> Self {
        self.source.domain = Some(domain_id);
        self
    }

    /// Issued at this time instead of the time of delivery.
    #[must_use]
    pub fn issued_at(self, at: OffsetDateTime) -> Self {
        self.issued_time_text(&issued_time(at))
    }

    /// With this text as `issuedTime`, such as one without milliseconds or one that is no time at all.
    #[must_use]
    pub fn issued_time_text(mut self, text: &str) -> Self {
        self.issued_time = Some(text.to_owned());
        self
    }

    /// With one more property at the top of the event.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }

    /// The event's `type`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The room, if the event names one.
    pub fn channel_id(&self) -> Option<&str> {
        self.source.channel.as_deref()
    }

    /// The bytes to be posted; `domain_id` and `now` fill what the event does not say.
    pub fn body(&self, domain_id: i64, now: OffsetDateTime) -> Vec<u8> {
        let mut event = self.clone();
        event.source.domain.get_or_insert(domain_id);
        event.issued_time.get_or_insert_with(|| issued_time(now));
        serde_json::to_vec(&event).unwrap_or_default()
    }
}

/// A time as LINE WORKS writes it: `2025-04-01T02:03:04.567Z`.
pub fn issued_time(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    let (date, time) = (at.date(), at.time());
    format!(
        "{date}T{:02}:{:02}:{:02}.{:03}Z",
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond()
    )
}

/// A message with any content; the functions below make the documented ones.
pub fn message(user_id: &str, content: Value) -> Event {
    let mut event = Event::new("message", Some(user_id), None);
    event.content = Some(content);
    event
}

/// A text message in the 1:1 room.
pub fn text(user_id: &str, text: &str) -> Event {
    message(user_id, json!({"type": "text", "text": text}))
}

/// A text that a tap on a message action (or the start button) sent, with its hidden payload.
pub fn text_with_postback(user_id: &str, text: &str, postback: &str) -> Event {
    message(
        user_id,
        json!({"type": "text", "text": text, "postback": postback}),
    )
}

/// A location, in degrees.
pub fn location(user_id: &str, address: &str, latitude: f64, longitude: f64) -> Event {
    let content =
        json!({"type": "location", "address": address, "latitude": latitude, "longitude": longitude});
    message(user_id, content)
}

/// A sticker.
pub fn sticker(user_id: &str, package_id: &str, sticker_id: &str) -> Event {
    message(
        user_id,
        json!({"type": "sticker", "packageId": package_id, "stickerId": sticker_id}),
    )
}

fn stored(kind: &str, user_id: &str, file_id: &str) -> Event {
    message(user_id, json!({"type": kind, "fileId": file_id}))
}

/// An image, by the id of a stored attachment.
pub fn image(user_id: &str, file_id: &str) -> Event {
    stored("image", user_id, file_id)
}

/// A file, by the id of a stored attachment; its name comes with the download only.
pub fn file(user_id: &str, file_id: &str) -> Event {
    stored("file", user_id, file_id)
}

/// A voice message, by the id of a stored attachment.
pub fn audio(user_id: &str, file_id: &str) -> Event {
    stored("audio", user_id, file_id)
}

/// A video, by the id of a stored attachment.
pub fn video(user_id: &str, file_id: &str) -> Event {
    stored("video", user_id, file_id)
}

/// A tap on a postback action.
pub fn postback(user_id: &str, channel_id: &str, data: &str) -> Event {
    let mut event = Event::new("postback", Some(user_id), Some(channel_id));
    event.data = Some(data.to_owned());
    event
}

/// The bot came into a room.
pub fn join(channel_id: &str) -> Event {
    Event::new("join", None, Some(channel_id))
}

/// The bot left a room.
pub fn leave(channel_id: &str) -> Event {
    Event::new("leave", None, Some(channel_id))
}

fn crowd(kind: &str, channel_id: &str, members: &[&str]) -> Event {
    let mut event = Event::new(kind, None, Some(channel_id));
    event.members = Some(members.iter().map(|id| (*id).to_owned()).collect());
    event
}

/// Members came into a room where the bot is.
pub fn joined(channel_id: &str, members: &[&str]) -> Event {
    crowd("joined", channel_id, members)
}

/// Members left a room where the bot is.
pub fn left(channel_id: &str, members: &[&str]) -> Event {
    crowd("left", channel_id, members)
}

/// A member opened the 1:1 room with the bot.
pub fn begin(user_id: &str, channel_id: &str) -> Event {
    Event::new("begin", Some(user_id), Some(channel_id))
}

/// A member left the 1:1 room with the bot.
pub fn end(user_id: &str, channel_id: &str) -> Event {
    Event::new("end", Some(user_id), Some(channel_id))
}

/// An event of a type that is not documented (yet).
pub fn unknown(kind: &str, user_id: &str) -> Event {
    Event::new(kind, Some(user_id), None)
}
