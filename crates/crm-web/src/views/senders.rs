//! Those who wrote and are no customers: what they said, and how to make customers of them.

use crm_domain::activities::{Activity, ActivityId, Direction, MessageKind, Sending};
use crm_domain::attachments::Attachment;
use crm_domain::board::BoardLine;
use crm_domain::customers::CustomerLine;
use crm_domain::id::Id;
use crm_domain::instant::Instant;
use crm_domain::members::MemberId;
use crm_domain::ports::callbacks::InboundMessage;
use crm_domain::receipts::ReceiptId;
use crm_domain::senders::Sender;
use crm_domain::use_cases::{UNKNOWN_MESSAGES, UnknownRoom, UnknownSender};
use crm_domain::values::LineUserId;
use serde::Serialize;

use super::activities::Talk;
use super::handling::Handling;
use super::{Face, Pager, filled};
use crate::format::{Times, Waiting, grouped};
use crate::links;
use crate::sentence::Sentence;

mod samples;

/// How senders are told to this reader.
pub struct Reader<'a> {
    /// Who reads.
    pub me: Option<MemberId>,
    /// Whether buttons of handling are offered.
    pub may_handle: bool,
    /// How times are told.
    pub times: &'a Times,
}

/// `GET /unknown-senders`.
#[derive(Debug, Clone, Serialize)]
pub struct SendersPage {
    /// At most 20, newest first.
    pub rows: Vec<SenderView>,
    /// Rooms in which such people spoke.
    pub rooms: Vec<RoomView>,
    /// Ways to the other senders.
    pub pager: Pager,
    /// Whether the reader may make customers of them.
    pub may_link: bool,
}

/// `GET /unknown-senders/{conversation}`.
#[derive(Debug, Clone, Serialize)]
pub struct SenderPage {
    /// Who.
    pub sender: SenderView,
    /// Whether the reader may make a customer of them.
    pub may_link: bool,
    /// The field in which one answers.
    pub composer: SenderComposer,
}

/// The field in which one answers a sender.
#[derive(Debug, Clone, Serialize)]
pub struct SenderComposer {
    /// The same key sends once.
    pub key: String,
    /// What was typed and could not be sent.
    pub text: String,
    /// Why.
    pub error: Option<Sentence>,
}

/// Somebody who wrote and is no customer.
#[derive(Debug, Clone, Serialize)]
pub struct SenderView {
    /// The conversation's number.
    pub id: i64,
    /// Who has it, and the buttons.
    pub handling: Handling,
    /// 姓 and 名, once LINE WORKS has told.
    pub name: Option<String>,
    /// Without a name: `asking` or `nameless`.
    pub nameless: &'static str,
    /// セイ and メイ.
    pub reading: Option<String>,
    /// Initial and colour.
    pub face: Face,
    /// LINE WORKS ユーザーID, whole.
    pub user_id: String,
    /// How many messages the reader has not seen.
    pub unread: Option<String>,
    /// How long they have been waiting.
    pub waiting: Option<Waiting>,
    /// What was said, sent and noted, oldest first.
    pub talk: Talk,
    /// Whether more was said than is shown.
    pub more: bool,
    /// The form of a new customer, filled in.
    pub new_href: String,
}

/// A room in which somebody spoke who is no customer.
#[derive(Debug, Clone, Serialize)]
pub struct RoomView {
    /// The conversation's number.
    pub id: i64,
    /// The room's channel id.
    pub channel: String,
    /// What such people said, each with who it was.
    pub talk: Talk,
    /// Whether more was said than is shown.
    pub more: bool,
}

/// `GET /unknown-senders/{conversation}/link`.
#[derive(Debug, Clone, Serialize)]
pub struct LinkPage {
    /// Who is to be tied to a customer.
    pub sender: SenderView,
    /// What is searched for.
    pub q: String,
    /// Who was found, at most 20.
    pub rows: Vec<LinkChoice>,
    /// Whether more were found.
    pub more: bool,
}

/// A customer who can be chosen.
#[derive(Debug, Clone, Serialize)]
pub struct LinkChoice {
    /// The customer's number.
    pub id: i64,
    /// 姓 and 名.
    pub name: String,
    /// セイ and メイ.
    pub reading: Option<String>,
    /// Name of the company, if any.
    pub company: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Initial and colour.
    pub face: Face,
    /// The LINE WORKS user id that the customer carries now.
    pub user_id: Option<String>,
}

/// Asks before the user id of a customer is replaced.
#[derive(Debug, Clone, Serialize)]
pub struct ReplacePage {
    /// Who is to be tied to the customer.
    pub sender: SenderView,
    /// The customer.
    pub customer: LinkChoice,
}

impl SenderView {
    /// A sender with everything that is known.
    pub fn of(unknown: &UnknownSender, reader: &Reader<'_>) -> SenderView {
        let line = &unknown.line;
        let id = line.conversation.id.get();
        let user_id = line.conversation.key.address.as_str();
        let sender = unknown.sender.as_ref();
        let name = sender.and_then(Sender::full_name);
        let reading = sender.map(|sender| sender.name.full_kana());
        SenderView {
            id,
            handling: Handling::of(line, reader.me, reader.may_handle),
            nameless: nameless(sender),
            reading: reading.as_deref().and_then(filled),
            face: Face::of(id, name.as_deref().unwrap_or("?")),
            name,
            user_id: user_id.to_owned(),
            unread: u64::try_from(line.unread)
                .ok()
                .filter(|count| *count > 0)
                .map(grouped),
            waiting: line
                .conversation
                .standing
                .waiting_since
                .map(|since| reader.times.waiting(since)),
            talk: Talk::of(&spoken(unknown), false, reader.times),
            more: unknown.received.len() >= UNKNOWN_MESSAGES,
            new_href: links::with_query("/customer/new", &[("line_user_id", user_id)]),
        }
    }
}

impl RoomView {
    /// A room with what strangers said in it.
    pub fn of(room: &UnknownRoom, reader: &Reader<'_>) -> RoomView {
        let heard = |(receipt, at, said): &(ReceiptId, Instant, InboundMessage)| Activity {
            in_room: true,
            ..received(*receipt, *at, said, &room.files)
        };
        let activities: Vec<Activity> = room.received.iter().map(heard).collect();
        let mut talk = Talk::of(&activities, false, reader.times);
        let bubbles = talk.days.iter_mut().flat_map(|day| &mut day.messages);
        for (message, (_, _, said)) in bubbles.zip(&room.received) {
            message.author = Some(speaker(&room.senders, &said.user));
        }
        RoomView {
            id: room.conversation.id.get(),
            channel: room.conversation.key.address.as_str().to_owned(),
            talk,
            more: room.received.len() >= UNKNOWN_MESSAGES,
        }
    }
}

impl LinkChoice {
    /// A customer among those found.
    pub fn of(line: &CustomerLine) -> LinkChoice {
        let (id, details) = (line.customer.id.get(), &line.customer.details);
        let name = details.name.full();
        LinkChoice {
            id,
            face: Face::of(id, &name),
            name,
            reading: filled(&details.reading.full()),
            company: line.company_name.clone(),
            email: details.email.as_ref().map(|email| email.as_str().to_owned()),
            user_id: details.line_user_id.as_ref().map(|user| user.as_str().to_owned()),
        }
    }
}

/// Where a list of senders that ends with this line is continued.
pub fn place_of(line: &BoardLine) -> Option<String> {
    let last = line.conversation.standing.last.as_ref()?;
    Some(format!("{}.{}", last.at.unix_millis(), line.conversation.id))
}

fn nameless(sender: Option<&Sender>) -> &'static str {
    if sender.is_some_and(Sender::is_nameless) {
        "nameless"
    } else {
        "asking"
    }
}

/// The name, or the whole user id of somebody of whom it is not known.
fn speaker(senders: &[Sender], user: &LineUserId) -> String {
    let known = senders.iter().find(|sender| sender.address == *user);
    let name = known.and_then(Sender::full_name);
    name.unwrap_or_else(|| user.as_str().to_owned())
}

/// What was said, sent and noted, as the messages that a customer's page would show.
fn spoken(unknown: &UnknownSender) -> Vec<Activity> {
    let heard = unknown
        .received
        .iter()
        .map(|(receipt, at, said)| received(*receipt, *at, said, &unknown.files));
    let sent = unknown.sent.iter().map(|send| Activity {
        sending: Some(Sending {
            id: send.id,
            state: send.state,
            reason: send.reason.clone(),
            author: send.author.name.clone(),
            next_try_at: send.next_try_at,
            treated_by: send.treated.as_ref().map(|treated| treated.by.name.clone()),
            held_until: send.held_until,
        }),
        ..said(send.id.get(), Direction::Sent, &send.text, send.queued_at)
    });
    let noted = unknown.notes.iter().map(|note| Activity {
        note_author: Some(note.author.name.clone()),
        ..said(note.id.get(), Direction::Note, &note.text, note.written_at)
    });
    let mut spoken: Vec<Activity> = heard.chain(sent).chain(noted).collect();
    spoken.sort_by_key(|activity| activity.timestamp);
    spoken
}

fn received(receipt: ReceiptId, at: Instant, message: &InboundMessage, files: &[Attachment]) -> Activity {
    Activity {
        file: files.iter().find(|file| file.receipt_id == receipt).cloned(),
        kind: message.kind,
        detail: message.detail.clone(),
        ..said(receipt.get(), Direction::Received, &message.message, at)
    }
}

/// Words on nobody's page yet.
fn said(id: i64, direction: Direction, text: &str, timestamp: Instant) -> Activity {
    Activity {
        id: ActivityId::new(id),
        customer_id: Id::new(0),
        conversation_id: None,
        direction,
        kind: MessageKind::Text,
        message: text.to_owned(),
        detail: None,
        timestamp,
        sending: None,
        note_author: None,
        late: false,
        in_room: false,
        file: None,
    }
}
