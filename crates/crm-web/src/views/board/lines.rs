//! From the domain's lines to those of the board.

use crm_domain::activities::{Direction, MessageKind};
use crm_domain::board::{BoardLine, Column};
use crm_domain::members::MemberId;
use crm_domain::senders::Sender;
use crm_domain::sends::SendState;
use crm_domain::standings::LastMessage;
use crm_domain::use_cases::Board;

use super::{LastView, LineView};
use crate::format::{Times, grouped};
use crate::links;
use crate::views::Face;
use crate::views::handling::{HandlerBadge, Handling};

/// How lines are told to this reader.
pub struct Reader<'a> {
    /// Who reads.
    pub me: MemberId,
    /// Whether buttons are offered.
    pub may_handle: bool,
    /// How times are told.
    pub times: &'a Times,
}

/// Where a conversation is read: the customer's page, or the unknown sender's.
pub fn page_of(line: &BoardLine) -> String {
    let customer = line.conversation.standing.customer_id;
    let known = customer.filter(|_| line.customer.is_some());
    known.map_or_else(
        || links::unknown_sender(line.conversation.id.get()),
        |id| links::customer(id.get()),
    )
}

impl LineView {
    /// The lines of a page of a column.
    pub fn all(board: &Board, column: Column, reader: &Reader<'_>) -> Vec<LineView> {
        let sender_of = |line: &BoardLine| {
            let address = &line.conversation.key.address;
            board.senders.iter().find(|sender| sender.address == *address)
        };
        let lines = board.page.lines.iter();
        lines
            .map(|line| LineView::of(line, sender_of(line), column, reader))
            .collect()
    }

    fn of(line: &BoardLine, sender: Option<&Sender>, column: Column, reader: &Reader<'_>) -> LineView {
        let standing = &line.conversation.standing;
        let conversation = line.conversation.id.get();
        let known = line.customer.as_ref().zip(standing.customer_id);
        let name = match known {
            Some((customer, _)) => Some(customer.name.full()),
            None => sender.and_then(Sender::full_name),
        };
        let asking = if sender.is_some_and(Sender::is_nameless) {
            "nameless"
        } else {
            "asking"
        };
        let id = known.map(|(_, id)| id.get());
        LineView {
            handling: Handling::of(line, Some(reader.me), reader.may_handle),
            href: page_of(line),
            face: Face::of(id.unwrap_or(conversation), name.as_deref().unwrap_or("?")),
            nameless: name.is_none().then_some(asking),
            name,
            company: known.and_then(|(customer, _)| customer.company_name.clone()),
            unknown: known.is_none(),
            needs_look: standing.troubled_since.is_some()
                || known.is_some_and(|(customer, _)| customer.needs_look),
            unread: u64::try_from(line.unread)
                .ok()
                .filter(|count| *count > 0)
                .map(grouped),
            owner: standing
                .owner_id
                .zip(line.owner.as_deref())
                .map(|(id, name)| HandlerBadge::of(id, name, Some(reader.me))),
            last: standing
                .last
                .as_ref()
                .map(|last| LastView::of(last, line.last_send, reader.times)),
            waiting: standing
                .waiting_since
                .filter(|_| column != Column::Done)
                .map(|since| reader.times.waiting(since)),
        }
    }
}

impl LastView {
    fn of(last: &LastMessage, sent: Option<SendState>, times: &Times) -> LastView {
        LastView {
            send_state: sent.map(SendState::code),
            side: match last.direction {
                Direction::Received => "in",
                Direction::Sent => "out",
                Direction::Note => "note",
            },
            kind: kind(last.kind, last.text.is_empty()),
            text: last.text.clone(),
            when: times.short(last.at),
            exact: times.exact(last.at),
            iso: times.iso(last.at),
        }
    }
}

/// Words and places speak for themselves; everything else says what it is.
fn kind(kind: MessageKind, is_empty: bool) -> Option<&'static str> {
    match kind {
        MessageKind::Text | MessageKind::Location | MessageKind::Postback => is_empty.then_some("other"),
        MessageKind::Sticker
        | MessageKind::Image
        | MessageKind::File
        | MessageKind::Audio
        | MessageKind::Video
        | MessageKind::Other => Some(kind.code()),
    }
}
