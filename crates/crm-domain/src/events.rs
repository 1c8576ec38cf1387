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
    /// Something that concerns one member.
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

/// An event as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Its place in the order; ascending, with possible gaps.
    pub seq: i64,
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

/// A place in the order of events: everything up to `seq` is known. Written `epoch-0-seq`; the middle number is for
/// databases in which numbers are not given in the order of commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCursor {
    /// Which history the number belongs to: another one after a backup was restored. Lower-case letters and digits.
    pub epoch: String,
    /// The last event that is known; 0 before the first.
    pub seq: i64,
}

impl fmt::Display for EventCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-0-{}", self.epoch, self.seq)
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
        let seq = rest.strip_prefix("0-").ok_or(NotACursor)?;
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let epoch_fits = (1..=64).contains(&epoch.len()) && epoch.bytes().all(plain);
        let seq_fits = !seq.is_empty() && seq.bytes().all(|byte| byte.is_ascii_digit());
        if !epoch_fits || !seq_fits {
            return Err(NotACursor);
        }
        Ok(Self {
            epoch: epoch.to_owned(),
            seq: seq.parse().map_err(|_| NotACursor)?,
        })
    }
}

/// Reading events.
pub trait EventQueries {
    /// The place behind the newest event that this view sees.
    fn event_cursor(&mut self) -> Result<EventCursor, StoreError>;

    /// The events after this place, oldest first, at most `limit`.
    fn events_after(&mut self, seq: i64, limit: usize) -> Result<Vec<Event>, StoreError>;

    /// The number of the oldest event that is still kept.
    fn oldest_event(&mut self) -> Result<Option<i64>, StoreError>;
}

/// Writing events.
pub trait EventRepository {
    /// Adds events in the given order; they are seen once the unit of work is stored.
    fn add_events(&mut self, events: &[NewEvent]) -> Result<(), StoreError>;

    /// Forgets events from before `before` and those beyond the newest `keep`, looking only at the oldest `limit` numbers, and
    /// says how many it forgot. The newest event always stays, so that numbers go on from it.
    fn prune_events(&mut self, before: Instant, keep: usize, limit: usize) -> Result<usize, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::{EventCursor, EventKind, NotACursor};

    #[test]
    fn a_cursor_is_read_as_it_is_written() {
        let cursor = EventCursor {
            epoch: "00ab19zz".to_owned(),
            seq: 1_204,
        };
        assert_eq!(cursor.to_string(), "00ab19zz-0-1204");
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in [
            "",
            "-0-1",
            "ab-0-",
            "ab-1-1",
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
