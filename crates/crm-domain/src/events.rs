//! Events: what changed, for whoever has it open. They carry ids only, never what somebody said, and stand in one order.

use std::fmt;
use std::str::FromStr;

use crate::companies::CompanyId;
use crate::conversations::ConversationId;
use crate::customers::CustomerId;
use crate::instant::Instant;
use crate::members::MemberId;
use crate::ports::store::StoreError;
use crate::teams::{TeamId, Visible};

/// How many events a page may be behind before it is told to load its data anew.
pub const EVENTS_AT_ONCE: usize = 1_000;

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// A conversation: its line on the board, who waits, who handles it, what is unread, its link.
    Conversation,
    /// A message of a conversation: a new one, or one that was changed, deleted or brought back.
    Message,
    /// How far a message of ours got.
    Send,
    /// A customer: added, changed or deleted.
    Customer,
    /// A company: added, changed or deleted.
    Company,
    /// Something that concerns one member: a conversation handed over, or other rights.
    MemberNotice,
    /// Something may have come into sight or left it: whoever does not see everything loads what is shown anew. Names
    /// nothing, since what one does not see is not told.
    Gone,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Conversation,
        Self::Message,
        Self::Send,
        Self::Customer,
        Self::Company,
        Self::MemberNotice,
        Self::Gone,
    ];

    /// The name that stores keep and pages see.
    pub fn code(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Message => "message",
            Self::Send => "send",
            Self::Customer => "customer",
            Self::Company => "company",
            Self::MemberNotice => "member_notice",
            Self::Gone => "gone",
        }
    }

    /// The kind of a stored name.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// An event before it is stored: `NewEvent::new(EventKind::Message, at).conversation(id).customer(id)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NewEvent {
    /// What changed.
    pub kind: EventKind,
    /// In which conversation.
    pub conversation_id: Option<ConversationId>,
    /// Of which customer.
    pub customer_id: Option<CustomerId>,
    /// Of which company.
    pub company_id: Option<CompanyId>,
    /// The only member who is to learn of it; `None`: everybody.
    pub member_id: Option<MemberId>,
    /// When.
    pub at: Instant,
}

impl NewEvent {
    /// An event for everybody that names nothing yet.
    pub fn new(kind: EventKind, at: Instant) -> Self {
        Self {
            kind,
            conversation_id: None,
            customer_id: None,
            company_id: None,
            member_id: None,
            at,
        }
    }

    /// Names the conversation, if there is one.
    #[must_use]
    pub fn conversation(mut self, id: impl Into<Option<ConversationId>>) -> Self {
        self.conversation_id = id.into();
        self
    }

    /// Names the customer, if there is one.
    #[must_use]
    pub fn customer(mut self, id: impl Into<Option<CustomerId>>) -> Self {
        self.customer_id = id.into();
        self
    }

    /// Names the company.
    #[must_use]
    pub fn company(mut self, id: CompanyId) -> Self {
        self.company_id = Some(id);
        self
    }

    /// Names the only member who is to learn of it.
    #[must_use]
    pub fn only_for(mut self, id: MemberId) -> Self {
        self.member_id = Some(id);
        self
    }
}

/// A place in the order of events: by transaction, then by number, both ascending with possible gaps. The default is before
/// the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventPlace {
    /// The number of the transaction that added the event; 0 in stores that take one writer at a time.
    pub xid: i64,
    /// The event's own number.
    pub seq: i64,
}

/// An event as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Where it stands in the order.
    pub place: EventPlace,
    /// What it says.
    pub what: NewEvent,
    /// Whose record it is about, as it is now.
    pub whose: Whose,
}

/// Whose a record is, by which it is decided who learns of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Everybody sees it.
    Everybodys,
    /// A customer's with this 担当者 and team.
    Customers(Option<MemberId>, Option<TeamId>),
    /// It is there no more.
    Nobodys,
}

impl Whose {
    fn is_seen(self, visible: &Visible) -> bool {
        match self {
            Self::Everybodys => true,
            Self::Customers(owner, team) => visible.shows(owner, team),
            Self::Nobodys => *visible == Visible::All,
        }
    }
}

impl Event {
    /// Whether this member, who sees so much, may learn of it.
    pub fn concerns(&self, member: Option<MemberId>, visible: &Visible) -> bool {
        let addressed = self.what.member_id.is_none() || self.what.member_id == member;
        let needed = self.what.kind != EventKind::Gone || *visible != Visible::All;
        addressed && needed && self.whose.is_seen(visible)
    }
}

/// A place in a history of events: everything up to it is known. Written `epoch-xid-seq`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCursor {
    /// Which history the place belongs to: another one after a backup was restored or another server took over. Lower-case
    /// letters and digits.
    pub epoch: String,
    /// The last event that is known.
    pub place: EventPlace,
}

impl fmt::Display for EventCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.epoch, self.place.xid, self.place.seq)
    }
}

/// The text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of events")]
pub struct NotACursor;

impl FromStr for EventCursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let (epoch, rest) = text.split_once('-').ok_or(NotACursor)?;
        let (xid, seq) = rest.split_once('-').ok_or(NotACursor)?;
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let epoch_fits = (1..=64).contains(&epoch.len()) && epoch.bytes().all(plain);
        if !epoch_fits {
            return Err(NotACursor);
        }
        Ok(Self {
            epoch: epoch.to_owned(),
            place: EventPlace {
                xid: number(xid)?,
                seq: number(seq)?,
            },
        })
    }
}

/// Digits alone; the standard library would take a sign too.
fn number(text: &str) -> Result<i64, NotACursor> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(NotACursor)
}

/// Reading events.
pub trait EventQueries {
    /// The last place of this view behind which events are only ever added: what runs beside it and is stored later comes
    /// after it.
    fn event_cursor(&mut self) -> Result<EventCursor, StoreError>;

    /// The events after this place and up to [`EventQueries::event_cursor`], in their order, at most `limit`.
    fn events_after(&mut self, place: EventPlace, limit: usize) -> Result<Vec<Event>, StoreError>;

    /// Whether the event of this place is stored, also where it does not lie before [`EventQueries::event_cursor`]: what runs in
    /// other databases of the same server can hold that back again for a moment.
    fn has_event(&mut self, place: EventPlace) -> Result<bool, StoreError>;

    /// The last place whose event was forgotten: whoever stands before it has missed something.
    fn events_forgotten(&mut self) -> Result<EventPlace, StoreError>;

    /// Whether events came from another database (a dump of it was loaded here), so that their order says nothing here.
    fn events_are_foreign(&mut self) -> Result<bool, StoreError>;
}

/// Writing events.
pub trait EventRepository {
    /// Adds events in the given order; they are seen once the unit of work is stored.
    fn add_events(&mut self, events: &[NewEvent]) -> Result<(), StoreError>;

    /// Forgets the oldest events up to the last one that is from before `before` or beyond the newest `keep`, looking only at
    /// the oldest `limit`, and says how many it forgot. The newest event always stays.
    fn prune_events(&mut self, before: Instant, keep: usize, limit: usize) -> Result<usize, StoreError>;

    /// Forgets all events and begins another history under a new name, as after a restore: every page loads its data anew.
    fn renew_epoch(&mut self) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::{EventCursor, EventKind, EventPlace, NotACursor};

    #[test]
    fn a_cursor_is_read_as_it_is_written() {
        let at = |xid, seq| EventCursor {
            epoch: "00ab19zz".to_owned(),
            place: EventPlace { xid, seq },
        };
        for (cursor, text) in [
            (at(0, 1_204), "00ab19zz-0-1204"),
            (at(7_001, 12), "00ab19zz-7001-12"),
        ] {
            assert_eq!(cursor.to_string(), text);
            assert_eq!(text.parse(), Ok(cursor));
        }
    }

    #[test]
    fn places_follow_their_transaction_then_their_number() {
        let at = |xid, seq| EventPlace { xid, seq };
        assert!(at(5, 9) < at(6, 1) && at(6, 1) < at(6, 2));
        assert!(EventPlace::default() < at(0, 1));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in [
            "",
            "-0-1",
            "ab-0-",
            "ab--1",
            "ab-0",
            "ab-+1-1",
            "ab-0--1",
            "ab-0-+1",
            "ab-0-1-2",
            "AB-0-1",
            "a b-0-1",
            "ab-0-99999999999999999999",
            "ab-0-1\n",
        ] {
            assert_eq!(text.parse::<EventCursor>(), Err(NotACursor), "{text}");
        }
    }

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_code(kind.code()), Some(kind));
        }
        assert_eq!(EventKind::from_code("else"), None);
    }
}
