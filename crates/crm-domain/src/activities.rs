//! Activities: the messages of a customer's conversation, one row for each customer who carries the address (§3.3).

use crate::attachments::Attachment;
use crate::conversations::ConversationId;
use crate::customers::CustomerId;
use crate::id::Id;
use crate::instant::Instant;
use crate::notes::NoteId;
use crate::ports::store::StoreError;
use crate::receipts::ReceiptId;
use crate::searches::Saying;
use crate::sends::{SendId, SendState};
use crate::standings::LastMessage;
use crate::values::SearchWords;

/// An activity's key.
pub type ActivityId = Id<Activity>;

/// Who spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The customer.
    Received,
    /// We.
    Sent,
    /// 社内メモ: we, for each other; never sent.
    Note,
}

impl Direction {
    /// The code that stores keep.
    pub fn code(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Sent => "sent",
            Self::Note => "note",
        }
    }

    /// The direction of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Received, Self::Sent, Self::Note]
            .into_iter()
            .find(|direction| direction.code() == code)
    }
}

/// What a message consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// Words.
    Text,
    /// A place.
    Location,
    /// A stamp.
    Sticker,
    /// A picture.
    Image,
    /// A file.
    File,
    /// A sound recording.
    Audio,
    /// A film.
    Video,
    /// A tap on a button; the words are the button's data.
    Postback,
    /// A kind that this version does not know; the detail holds all of it.
    Other,
}

impl MessageKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Text,
        Self::Location,
        Self::Sticker,
        Self::Image,
        Self::File,
        Self::Audio,
        Self::Video,
        Self::Postback,
        Self::Other,
    ];

    /// The code that stores keep, which is LINE WORKS' own word for it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Location => "location",
            Self::Sticker => "sticker",
            Self::Image => "image",
            Self::File => "file",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Postback => "postback",
            Self::Other => "other",
        }
    }

    /// The kind of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Whether bytes belong to it, which LINE WORKS keeps apart from the message.
    pub fn has_file(self) -> bool {
        matches!(self, Self::Image | Self::File | Self::Audio | Self::Video)
    }
}

/// A message as a customer's page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Its key.
    pub id: ActivityId,
    /// On whose page it stands.
    pub customer_id: CustomerId,
    /// The conversation it belongs to; `None` for imported rows of a customer without user id.
    pub conversation_id: Option<ConversationId>,
    /// Who spoke.
    pub direction: Direction,
    /// What it consists of.
    pub kind: MessageKind,
    /// The words; for a place its address, for other kinds a file name if one is known, else empty.
    pub message: String,
    /// What else came with the message, JSON of LINE WORKS' `content`; `None` for plain words.
    pub detail: Option<String>,
    /// When it was said: the time LINE WORKS issued, or when the sending was asked for.
    pub timestamp: Instant,
    /// What became of a message of ours; `None` for received ones and for imported ones, which were sent long ago.
    pub sending: Option<Sending>,
    /// Who wrote it, of notes.
    pub note_author: Option<String>,
    /// 遅れて受信: it stands before messages that had been there when it came.
    pub late: bool,
    /// グループ: it was said in a room.
    pub in_room: bool,
    /// The bytes that came with it.
    pub file: Option<Attachment>,
}

impl Activity {
    /// What became of a message of ours, imported ones counting as sent; `None` for received ones.
    pub fn send_state(&self) -> Option<SendState> {
        match (self.direction, &self.sending) {
            (Direction::Received | Direction::Note, _) => None,
            (Direction::Sent, Some(sending)) => Some(sending.state),
            (Direction::Sent, None) => Some(SendState::Sent),
        }
    }

    /// The message as it leaves in plain text (§4.4.2): what was not received carries its prefix.
    pub fn plain_text(&self) -> String {
        let prefix = match self.direction {
            Direction::Note => crate::notes::NOTE_PREFIX,
            Direction::Received | Direction::Sent => self.send_state().map_or("", SendState::plain_prefix),
        };
        format!("{prefix}{}", self.message)
    }
}

/// What became of a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// The sending.
    pub id: SendId,
    /// How far it got.
    pub state: SendState,
    /// Why it was not sent or is not sure: a [`crate::ports::messenger::SendProblem`] code, or one of
    /// [`crate::sends`].
    pub reason: Option<String>,
    /// Who sent it, as shown.
    pub author: String,
    /// When it is tried again, for one that waits.
    pub next_try_at: Option<Instant>,
    /// The name of who treats it as sent.
    pub treated_by: Option<String>,
    /// As [`crate::sends::Send::held_until`].
    pub held_until: Option<Instant>,
}

impl Sending {
    /// Whether it makes sense to send it again: it did not surely arrive, and nobody has.
    pub fn may_be_resent(&self) -> bool {
        let open = matches!(self.state, SendState::Failed | SendState::Unknown);
        open && !self.was_resent()
    }

    /// Until when it must not be sent again yet, if `now` is before: its sender could still let it leave.
    pub fn held_at(&self, now: Instant) -> Option<Instant> {
        self.held_until.filter(|until| now < *until)
    }

    /// Whether a person may call it sent: it may have arrived.
    pub fn may_be_treated_as_sent(&self) -> bool {
        self.state == SendState::Unknown && !self.was_resent()
    }

    /// Whether it can be taken back: it has not gone out.
    pub fn may_be_cancelled(&self) -> bool {
        self.state == SendState::Queued
    }

    /// Whether somebody has sent it again.
    pub fn was_resent(&self) -> bool {
        self.reason.as_deref() == Some(crate::sends::RESENT)
    }
}

/// An activity to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewActivity {
    /// On whose page it will stand.
    pub customer_id: CustomerId,
    /// The conversation it belongs to, if any.
    pub conversation_id: Option<ConversationId>,
    /// The callback it came with, for received ones.
    pub receipt_id: Option<ReceiptId>,
    /// The sending it shows, for sent ones.
    pub send_id: Option<SendId>,
    /// The note it shows, for notes.
    pub note_id: Option<NoteId>,
    /// Who spoke.
    pub direction: Direction,
    /// What it consists of.
    pub kind: MessageKind,
    /// As [`Activity::message`].
    pub message: String,
    /// As [`Activity::detail`].
    pub detail: Option<String>,
    /// As [`Activity::timestamp`].
    pub timestamp: Instant,
    /// As [`Activity::late`].
    pub late: bool,
}

/// A place in a conversation's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActivityPlace {
    /// The time of the message there.
    pub timestamp: Instant,
    /// Its id, which decides between equal times.
    pub id: ActivityId,
}

/// Looking messages up. Deleted ones are not found, nor those of customers in the trash.
pub trait ActivityQueries {
    /// One message.
    fn activity(&mut self, id: ActivityId) -> Result<Option<Activity>, StoreError>;

    /// On whose page a message stands, or stood until it was deleted; `None` for a customer who is gone.
    fn customer_of_activity(&mut self, id: ActivityId) -> Result<Option<CustomerId>, StoreError>;

    /// The newest messages of a customer, newest first, at most `limit`, those before `before` if given.
    fn activities_before(
        &mut self,
        customer: CustomerId,
        before: Option<ActivityPlace>,
        limit: usize,
    ) -> Result<Vec<Activity>, StoreError>;

    /// The messages of a customer that were added after the message `after`, in the order of their times, at most `limit`.
    fn activities_added_after(
        &mut self,
        customer: CustomerId,
        after: Option<ActivityId>,
        limit: usize,
    ) -> Result<Vec<Activity>, StoreError>;

    /// What stands on other customers' pages of this conversation and never stood on this customer's: to be added there, each
    /// source once, oldest row first, of the rows after `after`, with each row's id.
    fn activities_lacking(
        &mut self,
        conversation: ConversationId,
        customer: CustomerId,
        after: Option<ActivityId>,
        limit: usize,
    ) -> Result<Vec<(ActivityId, NewActivity)>, StoreError>;

    /// The time of the oldest received message of a conversation after `at`.
    fn received_after(
        &mut self,
        conversation: ConversationId,
        at: Instant,
    ) -> Result<Option<Instant>, StoreError>;

    /// What was said last in a conversation, by them or by us, as lists show it; `None` when nothing stands on any page.
    fn last_message(&mut self, conversation: ConversationId) -> Result<Option<LastMessage>, StoreError>;

    /// The newest messages of all customers of a company that are seen, newest first, at most `limit`, those before `before`
    /// if given.
    fn activities_of_company(
        &mut self,
        company: crate::companies::CompanyId,
        before: Option<ActivityPlace>,
        limit: usize,
        visible: &crate::teams::Visible,
    ) -> Result<Vec<Activity>, StoreError>;

    /// The messages of customers that are seen which say all these words, the one recorded last first, at most `limit`, those
    /// recorded before `before` if given. One look ends after a bounded part of what says the words, seen or not, and then
    /// tells where to go on.
    fn activities_saying(
        &mut self,
        words: &SearchWords,
        before: Option<ActivityId>,
        limit: usize,
        visible: &crate::teams::Visible,
    ) -> Result<Saying, StoreError>;

    /// Whether every message can be found by its words.
    fn are_activities_indexed(&mut self) -> Result<bool, StoreError>;
}

/// Changing messages. What they say never changes: they are found by it.
pub trait ActivityRepository {
    /// Adds them; the ids come in the given order, and they are found by their words. A customer that does not exist is
    /// `Missing("customer_id")`.
    fn add_activities(&mut self, activities: &[NewActivity]) -> Result<Vec<ActivityId>, StoreError>;

    /// Deletes one so that it can be brought back; `false` if it was not there.
    fn delete_activity(&mut self, id: ActivityId, at: Instant) -> Result<bool, StoreError>;

    /// Deletes what shows a sending, on every page; says how many were there.
    fn delete_activities_of_send(&mut self, send: SendId, at: Instant) -> Result<usize, StoreError>;

    /// Moves what shows a sending to another time, on every page.
    fn retime_send(&mut self, send: SendId, at: Instant) -> Result<(), StoreError>;

    /// Brings a deleted one back and says whose it is; `None` if none was deleted under this id.
    fn restore_activity(&mut self, id: ActivityId) -> Result<Option<Activity>, StoreError>;

    /// Lets at most `limit` messages be found by their words that were written by an older program or moved here with a
    /// whole database, newest first; says how many.
    fn index_activities(&mut self, limit: usize) -> Result<usize, StoreError>;
}
