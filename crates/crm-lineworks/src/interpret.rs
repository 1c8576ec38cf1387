//! What a callback says. Nothing in a body can make this fail but what the event needs and does not have.

use crm_domain::activities::MessageKind;
use crm_domain::instant::Instant;
use crm_domain::ports::callbacks::{InboundEvent, InboundMessage, InterpretError, RoomChange, RoomEvent};
use crm_domain::values::LineUserId;
use serde_json::{Map, Value};

type Object = Map<String, Value>;

/// The longest word for an event, in characters.
const WORD: usize = 40;
/// The longest id of a file, in bytes.
const FILE_ID: usize = 1_000;

/// Understands the body of a callback; events of another domain than `domain`, if it is known, are no messages.
pub(crate) fn interpret(domain: Option<&str>, body: &[u8]) -> Result<InboundEvent, InterpretError> {
    let event = parse(body)?;
    let kind = text_of(&event, "type")
        .filter(|kind| !kind.is_empty())
        .ok_or(InterpretError::NoType)?;
    let nothing = Object::new();
    let source = event.get("source").and_then(Value::as_object).unwrap_or(&nothing);
    if is_foreign(domain, source) {
        return Ok(InboundEvent::Other {
            kind: "other_domain".to_owned(),
        });
    }
    match kind {
        "message" => message(&event, source),
        "postback" => postback(&event, source),
        "begin" => Ok(InboundEvent::Began {
            user: user(source)?,
            at: issued(&event)?,
        }),
        "end" => Ok(InboundEvent::Ended {
            user: user(source)?,
            at: issued(&event)?,
        }),
        "join" => room(&event, source, RoomChange::BotCame),
        "leave" => room(&event, source, RoomChange::BotLeft),
        "joined" => room(&event, source, RoomChange::MembersCame),
        "left" => room(&event, source, RoomChange::MembersLeft),
        other => Ok(InboundEvent::Other { kind: word(other) }),
    }
}

/// JSON in which half of a surrogate pair, which some programs write where they cut a text, is U+FFFD.
fn parse(body: &[u8]) -> Result<Object, InterpretError> {
    let value = serde_json::from_slice(body).or_else(|_| serde_json::from_slice(&mended(body)));
    match value {
        Ok(Value::Object(event)) => Ok(event),
        _ => Err(InterpretError::NotJson),
    }
}

/// The body with `\ufffd` for each `\u` escape that is half of a surrogate pair without its other half.
fn mended(body: &[u8]) -> Vec<u8> {
    let mut mended = body.to_vec();
    let mut at = 0;
    while at < body.len() {
        at += match (body.get(at), escape(body, at)) {
            (Some(b'\\'), Some(0xD800..=0xDBFF)) if matches!(escape(body, at + 6), Some(0xDC00..=0xDFFF)) => {
                12
            }
            (Some(b'\\'), Some(0xD800..=0xDFFF)) => {
                if let Some(half) = mended.get_mut(at..at + 6) {
                    half.copy_from_slice(b"\\ufffd");
                }
                6
            }
            (Some(b'\\'), Some(_)) => 6,
            (Some(b'\\'), None) => 2,
            _ => 1,
        };
    }
    mended
}

/// The number of the `\uXXXX` escape that begins here.
fn escape(body: &[u8], at: usize) -> Option<u16> {
    let digits = body.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn message(event: &Object, source: &Object) -> Result<InboundEvent, InterpretError> {
    let user = user(source)?;
    let content = event
        .get("content")
        .and_then(Value::as_object)
        .ok_or(InterpretError::Field("content"))?;
    let said = text_of(content, "type").ok_or(InterpretError::Field("content.type"))?;
    let kind = kind_of(said);
    Ok(InboundEvent::Message(InboundMessage {
        user,
        room: channel(source)?,
        at: issued(event).ok(),
        kind,
        message: without_nul(words(kind, content)?),
        detail: detail(kind, content),
        file_id: file_id(kind, content),
    }))
}

/// A tap on a button. Its data is what it says; a button without data says nothing, but it was tapped.
fn postback(event: &Object, source: &Object) -> Result<InboundEvent, InterpretError> {
    Ok(InboundEvent::Message(InboundMessage {
        user: user(source)?,
        room: channel(source)?,
        at: issued(event).ok(),
        kind: MessageKind::Postback,
        message: without_nul(text_of(event, "data").unwrap_or_default()),
        detail: None,
        file_id: None,
    }))
}

fn room(event: &Object, source: &Object, change: RoomChange) -> Result<InboundEvent, InterpretError> {
    let members = event.get("members").and_then(Value::as_array);
    let ids = members.into_iter().flatten().filter_map(Value::as_str);
    Ok(InboundEvent::Room(RoomEvent {
        room: channel(source)?.ok_or(InterpretError::Field("source.channelId"))?,
        change,
        members: ids.filter_map(|id| LineUserId::new(id).ok().flatten()).collect(),
        at: issued(event).ok(),
    }))
}

/// The kind of a content by its name; names that are ours alone count as unknown.
fn kind_of(said: &str) -> MessageKind {
    match MessageKind::from_code(said) {
        None | Some(MessageKind::Postback) => MessageKind::Other,
        Some(kind) => kind,
    }
}

/// The id of the bytes that belong to the message. One that no service would give is none.
fn file_id(kind: MessageKind, content: &Object) -> Option<String> {
    let id = text_of(content, "fileId")?;
    let sane = !id.is_empty() && id.len() <= FILE_ID && !id.contains(char::is_control);
    (kind.has_file() && sane).then(|| id.to_owned())
}

/// The words; for a place its address or title, for files their name, for what is not known whatever text it has.
fn words(kind: MessageKind, content: &Object) -> Result<&str, InterpretError> {
    let first = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| text_of(content, name))
            .unwrap_or_default()
    };
    match kind {
        MessageKind::Text => text_of(content, "text").ok_or(InterpretError::Field("content.text")),
        MessageKind::Location => Ok(first(&["address", "title"])),
        MessageKind::Other => Ok(first(&["text"])),
        _ => Ok(first(&["fileName"])),
    }
}

/// The whole content as JSON, unless it is plain words.
fn detail(kind: MessageKind, content: &Object) -> Option<String> {
    let plain = kind == MessageKind::Text && content.keys().all(|name| name == "type" || name == "text");
    if plain {
        return None;
    }
    let mut content = Value::Object(content.clone());
    clean(&mut content);
    Some(content.to_string())
}

/// U+0000 becomes U+FFFD in every text: not every store can keep it.
fn clean(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => *text = without_nul(text),
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Object(fields) => {
            let cleaned = std::mem::take(fields).into_iter().map(|(name, mut field)| {
                clean(&mut field);
                (without_nul(&name), field)
            });
            *fields = cleaned.collect();
        }
        _ => {}
    }
}

fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

fn text_of<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str()
}

fn user(source: &Object) -> Result<LineUserId, InterpretError> {
    let problem = InterpretError::Field("source.userId");
    let id = text_of(source, "userId").ok_or(problem)?;
    LineUserId::new(id).ok().flatten().ok_or(problem)
}

/// The room, or the channel of the person's own talk; `None` where none is named.
fn channel(source: &Object) -> Result<Option<LineUserId>, InterpretError> {
    let problem = InterpretError::Field("source.channelId");
    match text_of(source, "channelId") {
        None => Ok(None),
        Some(id) => LineUserId::new(id).map_err(|_| problem),
    }
}

fn issued(event: &Object) -> Result<Instant, InterpretError> {
    text_of(event, "issuedTime")
        .and_then(Instant::parse)
        .ok_or(InterpretError::Field("issuedTime"))
}

/// Whether the event names a domain, and not ours. The id is documented as a number.
fn is_foreign(domain: Option<&str>, source: &Object) -> bool {
    let named = match source.get("domainId") {
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text.trim().to_owned(),
        _ => return false,
    };
    domain.is_some_and(|ours| ours != named)
}

/// An event's name as a word of `[a-z0-9_]`.
fn word(text: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    text.chars().take(WORD).map(plain).collect()
}
