//! Callbacks: how what customers say comes in. Verifying and understanding are two steps: the first decides what is kept,
//! the second happens on the kept copy and may fail without losing it.

use crate::activities::MessageKind;
use crate::conversations::ConversationKind;
use crate::instant::Instant;
use crate::values::LineUserId;

/// The headers of a callback that matter, as received; `None` where absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallbackHeaders<'a> {
    /// `X-WORKS-BotId`.
    pub bot_id: Option<&'a str>,
    /// `X-WORKS-Signature`.
    pub signature: Option<&'a str>,
}

/// A callback whose signature is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCallback {
    /// The bot whose secret verified it.
    pub bot: String,
    /// `issuedTime` as received, at most 40 characters; empty if it cannot be read.
    pub issued: String,
    /// The first 16 bytes of SHA-256 over the bot id and the raw body.
    pub digest: [u8; 16],
}

/// Why a callback does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallbackRefused {
    /// LINE WORKS is not set up here.
    #[error("no bot is set up")]
    NotConfigured,
    /// It is for another bot.
    #[error("another bot's id")]
    OtherBot,
    /// It carries no signature.
    #[error("no signature")]
    Unsigned,
    /// The signature is not the body's.
    #[error("wrong signature")]
    WrongSignature,
}

impl CallbackRefused {
    /// Stable name for logs and pages.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotConfigured => "not_configured",
            Self::OtherBot => "other_bot",
            Self::Unsigned => "unsigned",
            Self::WrongSignature => "wrong_signature",
        }
    }
}

/// What a callback says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboundEvent {
    /// Somebody said something.
    Message(InboundMessage),
    /// A person opened the talk with the bot (again).
    Began {
        /// Who.
        user: LineUserId,
        /// When.
        at: Instant,
    },
    /// A person left the talk with the bot.
    Ended {
        /// Who.
        user: LineUserId,
        /// When.
        at: Instant,
    },
    /// Something happened in a room, said by nobody.
    Room(RoomEvent),
    /// Something that concerns no conversation of ours, or that this version does not know: the word for it.
    Other {
        /// LINE WORKS' event type, shortened to 40 characters of `[a-z0-9_]`.
        kind: String,
    },
}

/// Who came into a room or left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomEvent {
    /// The room's channel id.
    pub room: LineUserId,
    /// What happened.
    pub change: RoomChange,
    /// Who came or left, where LINE WORKS names them; ids that are none are left out.
    pub members: Vec<LineUserId>,
    /// When LINE WORKS issued it; `None` if it says nothing readable.
    pub at: Option<Instant>,
}

/// What happened in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RoomChange {
    /// The bot came in.
    BotCame,
    /// The bot left.
    BotLeft,
    /// Members came in.
    MembersCame,
    /// Members left.
    MembersLeft,
}

/// A message as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundMessage {
    /// Who said it.
    pub user: LineUserId,
    /// Where: the person's own talk, or a room's channel id. Of a [`MessageKind::Postback`] it is the channel id in any
    /// case, of the person's own talk too, so whoever records it asks whether it is a room (see [`Self::said_in`]).
    pub room: Option<LineUserId>,
    /// When LINE WORKS issued it; `None` if it says nothing readable.
    pub at: Option<Instant>,
    /// What it consists of.
    pub kind: MessageKind,
    /// The words; for a place its address, for a button its data; else a file name if one is known, or empty. No NUL.
    pub message: String,
    /// What else came: JSON of `content`, `None` for plain words.
    pub detail: Option<String>,
    /// LINE WORKS' id of the bytes that belong to it; only of kinds that have a file.
    pub file_id: Option<String>,
}

impl InboundMessage {
    /// When it was said: as issued, unless that says nothing, or lies so far ahead of its arrival that no clock explains it.
    pub fn said_at(&self, received_at: Instant) -> Instant {
        let believable = received_at.plus(time::Duration::days(2));
        self.at.filter(|at| *at <= believable).unwrap_or(received_at)
    }

    /// The channel that is a room only if something else has shown that it is one.
    pub fn channel_in_doubt(&self) -> Option<&LineUserId> {
        self.room.as_ref().filter(|_| self.kind == MessageKind::Postback)
    }

    /// The message with its place decided: a channel in doubt that is no room is the person's own talk.
    #[must_use]
    pub fn said_in(self, is_room: impl Fn(&LineUserId) -> bool) -> Self {
        let doubtful = self.channel_in_doubt().is_some_and(|channel| !is_room(channel));
        let room = self.room.filter(|_| !doubtful);
        Self { room, ..self }
    }

    /// The address and kind of the conversation it belongs to.
    pub fn place(&self) -> (&LineUserId, ConversationKind) {
        match &self.room {
            Some(room) => (room, ConversationKind::Room),
            None => (&self.user, ConversationKind::Person),
        }
    }
}

/// Why a kept body cannot be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InterpretError {
    /// Not JSON, or not an object.
    #[error("not JSON")]
    NotJson,
    /// The event's type is missing or no text.
    #[error("no event type")]
    NoType,
    /// A field that this event needs is missing or of another form.
    #[error("{0} is missing or malformed")]
    Field(&'static str),
    /// It was understood, but the database fails with it and with no other.
    #[error("the database fails with it")]
    Indigestible,
}

/// A callback made by ourselves, signed rightly, from a sender that is reserved for tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleCallback {
    /// `X-WORKS-BotId`.
    pub bot_id: String,
    /// `X-WORKS-Signature`.
    pub signature: String,
    /// The raw body.
    pub body: Vec<u8>,
    /// The reserved sender.
    pub sender: LineUserId,
}

/// Reads callbacks. Pure: bytes and headers in, values out.
pub trait Callbacks: Send + Sync {
    /// Decides whether a callback counts: its signature over the raw bytes is right.
    fn verify(&self, headers: CallbackHeaders<'_>, body: &[u8]) -> Result<VerifiedCallback, CallbackRefused>;

    /// Whether a callback that does not count could still be one of ours: it names our bot and our domain, and reads as a
    /// callback.
    fn may_be_ours(&self, headers: CallbackHeaders<'_>, body: &[u8]) -> bool {
        let named = headers.bot_id.is_some_and(|id| !id.trim().is_empty());
        named
            && match self.interpret(body) {
                Ok(InboundEvent::Other { kind }) => kind != "other_domain",
                understood => understood.is_ok(),
            }
    }

    /// Understands a kept body.
    fn interpret(&self, body: &[u8]) -> Result<InboundEvent, InterpretError>;

    /// A signed sample with this time; `None` when nothing is set up.
    fn sample(&self, at: Instant) -> Option<SampleCallback>;
}
