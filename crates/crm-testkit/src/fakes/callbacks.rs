//! Callbacks in a small format of their own: one field a line, the words last.

use crm_domain::activities::MessageKind;
use crm_domain::instant::Instant;
use crm_domain::ports::callbacks::{
    CallbackHeaders, CallbackRefused, Callbacks, InboundEvent, InboundMessage, InterpretError, RoomChange,
    RoomEvent, SampleCallback, VerifiedCallback,
};
use crm_domain::values::LineUserId;

use super::secrets::sha256;

/// The sender of [`Callbacks::sample`].
pub const SAMPLE_SENDER: &str = "00000000-0000-4000-8000-000000000000";

/// Reads what its own functions write; everything else cannot be understood.
#[derive(Debug)]
pub struct FakeCallbacks {
    bot: Option<String>,
}

impl FakeCallbacks {
    /// For this bot.
    pub fn new(bot: &str) -> Self {
        Self {
            bot: Some(bot.to_owned()),
        }
    }

    /// Nothing is set up.
    pub fn none() -> Self {
        Self { bot: None }
    }

    /// A text said by `user` to the bot.
    pub fn message(user: &LineUserId, at: Instant, text: &str) -> Vec<u8> {
        format!("message\n{at}\n{}\n\n{text}", user.as_str()).into_bytes()
    }

    /// A text said by `user` in a room.
    pub fn room_message(user: &LineUserId, room: &LineUserId, at: Instant, text: &str) -> Vec<u8> {
        format!("message\n{at}\n{}\n{}\n{text}", user.as_str(), room.as_str()).into_bytes()
    }

    /// `user` opened the talk.
    pub fn began(user: &LineUserId, at: Instant) -> Vec<u8> {
        format!("began\n{at}\n{}", user.as_str()).into_bytes()
    }

    /// `user` left the talk.
    pub fn ended(user: &LineUserId, at: Instant) -> Vec<u8> {
        format!("ended\n{at}\n{}", user.as_str()).into_bytes()
    }

    /// `user` tapped a button, in a room or in the person's own talk.
    pub fn postback(user: &LineUserId, channel: &LineUserId, at: Instant, data: &str) -> Vec<u8> {
        format!("postback\n{at}\n{}\n{}\n{data}", user.as_str(), channel.as_str()).into_bytes()
    }

    /// `user` sent a photo.
    pub fn photo(user: &LineUserId, at: Instant, file_id: &str) -> Vec<u8> {
        format!("image\n{at}\n{}\n\n{file_id}", user.as_str()).into_bytes()
    }

    /// The bot came into a room.
    pub fn bot_came(room: &LineUserId, at: Instant) -> Vec<u8> {
        format!("bot_came\n{at}\n{}", room.as_str()).into_bytes()
    }

    /// An event that concerns no conversation.
    pub fn other(kind: &str, at: Instant) -> Vec<u8> {
        format!("{kind}\n{at}").into_bytes()
    }

    /// The signature that [`Callbacks::verify`] wants for this body.
    pub fn signature(body: &[u8]) -> String {
        format!("{:032x}", u128::from_be_bytes(first_half(&sha256(body))))
    }
}

impl Callbacks for FakeCallbacks {
    fn verify(&self, headers: CallbackHeaders<'_>, body: &[u8]) -> Result<VerifiedCallback, CallbackRefused> {
        let bot = self.bot.as_deref().ok_or(CallbackRefused::NotConfigured)?;
        if headers.bot_id != Some(bot) {
            return Err(CallbackRefused::OtherBot);
        }
        let signature = headers.signature.ok_or(CallbackRefused::Unsigned)?;
        if signature != Self::signature(body) {
            return Err(CallbackRefused::WrongSignature);
        }
        let text = String::from_utf8_lossy(body);
        Ok(VerifiedCallback {
            bot: bot.to_owned(),
            issued: text.lines().nth(1).unwrap_or_default().chars().take(40).collect(),
            digest: first_half(&sha256(&[bot.as_bytes(), body].concat())),
        })
    }

    fn interpret(&self, body: &[u8]) -> Result<InboundEvent, InterpretError> {
        let text = std::str::from_utf8(body).map_err(|_| InterpretError::NotJson)?;
        let mut fields = text.splitn(5, '\n');
        let kind = fields
            .next()
            .filter(|kind| !kind.is_empty())
            .ok_or(InterpretError::NoType)?;
        let at = fields.next().and_then(Instant::parse);
        let mut id = || {
            fields
                .next()
                .and_then(|text| LineUserId::new(text).ok().flatten())
        };
        match kind {
            "message" | "postback" | "image" => {
                let user = id().ok_or(InterpretError::Field("source.userId"))?;
                let room = id();
                let message = fields
                    .next()
                    .ok_or(InterpretError::Field("content.text"))?
                    .to_owned();
                let kind = MessageKind::from_code(kind).unwrap_or(MessageKind::Text);
                let file_id = kind.has_file().then(|| message.clone());
                Ok(InboundEvent::Message(InboundMessage {
                    user,
                    room,
                    at,
                    kind,
                    message: if kind.has_file() { String::new() } else { message },
                    detail: None,
                    file_id,
                }))
            }
            "bot_came" => Ok(InboundEvent::Room(RoomEvent {
                room: id().ok_or(InterpretError::Field("source.channelId"))?,
                change: RoomChange::BotCame,
                members: Vec::new(),
                at,
            })),
            "began" | "ended" => {
                let user = id().ok_or(InterpretError::Field("source.userId"))?;
                let at = at.ok_or(InterpretError::Field("issuedTime"))?;
                Ok(if kind == "began" {
                    InboundEvent::Began { user, at }
                } else {
                    InboundEvent::Ended { user, at }
                })
            }
            other => Ok(InboundEvent::Other {
                kind: other.to_owned(),
            }),
        }
    }

    fn sample(&self, at: Instant) -> Option<SampleCallback> {
        let sender = LineUserId::new(SAMPLE_SENDER).ok().flatten()?;
        let body = Self::message(&sender, at, "test");
        Some(SampleCallback {
            bot_id: self.bot.clone()?,
            signature: Self::signature(&body),
            body,
            sender,
        })
    }
}

fn first_half(hash: &[u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    half
}
