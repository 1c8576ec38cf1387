//! Sends: messages of ours on their way. A message is on disk before it goes out, and its state says only what is known.

use time::Duration;

use crate::conversations::{ConversationId, ConversationKey};
use crate::id::Id;
use crate::instant::Instant;
use crate::members::MemberId;
use crate::ports::store::StoreError;
use crate::values::MessageText;

/// A sending's key.
pub type SendId = Id<Send>;

/// The reason of a message that is 結果不明 and was sent again by a person.
pub const RESENT: &str = "resent";
/// The reason of a message that was 結果不明 and that a person treats as sent.
pub const TREATED: &str = "treated";
/// The reason of a message that a person took back before it went out; it counts as 送信失敗.
pub const CANCELLED: &str = "cancelled";

/// How far a message of ours got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SendState {
    /// 送信待ち: on disk, not gone out.
    Queued,
    /// 送信中: a sender works on it.
    Sending,
    /// 送信済み: accepted by LINE WORKS.
    Sent,
    /// 送信失敗: refused, or never left us.
    Failed,
    /// 結果不明: it went out, and what became of it is not known.
    Unknown,
}

impl SendState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Queued,
        Self::Sending,
        Self::Sent,
        Self::Failed,
        Self::Unknown,
    ];

    /// The code that stores keep, and the name in catalogues and JSON.
    pub fn code(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// The state of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Whether nothing will change it but a person.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Sent | Self::Failed | Self::Unknown)
    }

    /// The prefix of a sent message in plain text, fixed by the specification (§4.4.2) whatever the reader's language.
    pub fn plain_prefix(self) -> &'static str {
        match self {
            Self::Queued | Self::Sending => "[送信待ち] ",
            Self::Sent => "[送信] ",
            Self::Failed => "[送信失敗] ",
            Self::Unknown => "[結果不明] ",
        }
    }
}

/// Which messages go out first when not all can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// Somebody waits for it.
    Answer,
    /// A person wrote it, and nobody waits.
    Message,
    /// A program, the command line or a job made it.
    Bulk,
}

impl Urgency {
    /// The number that stores keep; lower goes first.
    pub fn rank(self) -> i32 {
        match self {
            Self::Answer => 0,
            Self::Message => 1,
            Self::Bulk => 2,
        }
    }

    /// The urgency of a stored number.
    pub fn from_rank(rank: i32) -> Option<Self> {
        [Self::Answer, Self::Message, Self::Bulk]
            .into_iter()
            .find(|urgency| urgency.rank() == rank)
    }
}

/// Who wrote a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The member, if it was one.
    pub member_id: Option<MemberId>,
    /// The name shown beside the message.
    pub name: String,
}

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSend {
    /// Made with the form: the same key sends once. 1 to 100 characters.
    pub key: String,
    /// To whom.
    pub conversation_id: ConversationId,
    /// What.
    pub text: MessageText,
    /// Who wrote it.
    pub author: Author,
    /// How soon it is to go out.
    pub urgency: Urgency,
    /// When it was asked for.
    pub queued_at: Instant,
}

/// Whether a message was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queued {
    /// It was, and waits to go out.
    Added(SendId),
    /// The same key was used for this one already.
    Existed(SendId),
}

impl Queued {
    /// The sending, new or not.
    pub fn id(self) -> SendId {
        match self {
            Self::Added(id) | Self::Existed(id) => id,
        }
    }
}

/// A message of ours as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send {
    /// Its key.
    pub id: SendId,
    /// The conversation it belongs to.
    pub conversation_id: ConversationId,
    /// To whom and by which bot.
    pub to: ConversationKey,
    /// The text, as checked when it was queued.
    pub text: String,
    /// Who wrote it.
    pub author: Author,
    /// How far it got.
    pub state: SendState,
    /// Why it waits, was not sent or is not sure: a [`crate::ports::messenger::SendProblem`] code, or [`RESENT`],
    /// [`TREATED`] or [`CANCELLED`].
    pub reason: Option<String>,
    /// How soon it is to go out.
    pub urgency: Urgency,
    /// How often it was tried in vain so far.
    pub tries: u32,
    /// When it is tried again, for one that was tried in vain and waits.
    pub next_try_at: Option<Instant>,
    /// When it was asked for.
    pub queued_at: Instant,
    /// When its state became final.
    pub finished_at: Option<Instant>,
    /// Who treats it as sent, and since when.
    pub treated: Option<Treated>,
    /// For one that is 結果不明 because its sender's lease ended: until then, by the database's clock, that sender could
    /// still let it leave, so nobody sends it again before.
    pub held_until: Option<Instant>,
}

/// How long a sender may prepare a message that it claimed.
pub const CLAIM_LEASE: Duration = Duration::seconds(30);
/// How much longer than the messenger's time-out the lease of a message lasts that leaves.
pub const LEASE_MARGIN: Duration = Duration::seconds(5);

/// Whether a claimed message may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departing {
    /// It may, now.
    Leaves,
    /// It is still its sender's, but the lease is over: others may take it for lost any moment.
    TooLate,
    /// It is not its sender's any more.
    Lost,
}

/// Which runs are proved dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dead<'a> {
    /// All but this one, which holds the lock that a living run would hold.
    AllBut(&'a str),
    /// Those whose lease is over. A request of theirs may be under way for so long after the lease.
    LeaseOver {
        /// How long a request may take.
        request: Duration,
    },
}

/// Who called a message sent of which it is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Treated {
    /// Who.
    pub by: Author,
    /// When.
    pub at: Instant,
}

/// No try lies further ahead than this; one that does was planned before the clock was put back.
pub const FARTHEST_TRY: Duration = Duration::minutes(10);

/// Whether a message whose next try was planned so may go out.
pub fn is_due(next_try_at: Option<Instant>, now: Instant) -> bool {
    next_try_at.is_none_or(|at| at <= now || at > now.plus(FARTHEST_TRY))
}

/// Looking messages of ours up.
pub trait SendQueries {
    /// One sending.
    fn send(&mut self, id: SendId) -> Result<Option<Send>, StoreError>;

    /// The messages of a conversation that never stood on any page, because nobody carried its address; oldest first.
    fn unshown_sends(&mut self, conversation: ConversationId) -> Result<Vec<Send>, StoreError>;

    /// Whether any message waits to go out or is on its way.
    fn sends_open(&mut self) -> Result<bool, StoreError>;

    /// How many messages of a conversation somebody has to look at: 送信失敗 or 結果不明, neither sent again nor treated as
    /// sent nor taken back nor deleted on every page.
    fn troubled_sends(&mut self, conversation: ConversationId) -> Result<usize, StoreError>;
}

/// Changing messages of ours.
pub trait SendRepository {
    /// Queues a message once: the unique key decides, also between two at the same moment. What waits before it in its
    /// conversation becomes as urgent as it is, and what waits there for a connection is tried again at once.
    fn add_send(&mut self, send: &NewSend) -> Result<Queued, StoreError>;

    /// Takes the most urgent message that may go out at `at` and is at least as urgent as `least`, the oldest of equal
    /// ones, marks it 送信中 by `run` (the random id of this process start) and returns it; `None` if there is none.
    /// Of a conversation only the oldest waiting one may go out, and none while another is on its way. The claim is a lease
    /// that lasts so long by the database's clock.
    fn claim_send(
        &mut self,
        run: &str,
        least: Urgency,
        at: Instant,
        lasts: Duration,
    ) -> Result<Option<Send>, StoreError>;

    /// Proves directly before a message leaves that `run` still has it on its way and that its lease lives; then the lease
    /// lasts so long from now on.
    fn depart_send(
        &mut self,
        id: SendId,
        run: &str,
        at: Instant,
        lasts: Duration,
    ) -> Result<Departing, StoreError>;

    /// Settles a message that `run` has on its way, or had until it was abandoned for `interrupted`: an outcome that comes
    /// late is better than none. `false` if it is neither.
    fn finish_send(
        &mut self,
        id: SendId,
        run: &str,
        state: SendState,
        reason: Option<&str>,
        at: Instant,
    ) -> Result<bool, StoreError>;

    /// Puts a message back of which nothing left, to be tried again at `next_try`; `false` if `run` has it no more.
    fn requeue_send(
        &mut self,
        id: SendId,
        run: &str,
        reason: Option<&str>,
        next_try: Instant,
    ) -> Result<bool, StoreError>;

    /// What waits for one of these reasons is tried again at once.
    fn wake_sends(&mut self, reasons: &[&str]) -> Result<(), StoreError>;

    /// Takes a waiting message back: it counts as 送信失敗 and [`CANCELLED`]. `false` if it does not wait any more.
    fn cancel_send(&mut self, id: SendId, at: Instant) -> Result<bool, StoreError>;

    /// Calls a message sent that is 結果不明 and was not sent again; `false` if it is not.
    fn treat_send(&mut self, id: SendId, by: &Author, at: Instant) -> Result<bool, StoreError>;

    /// Notes that a message that is 結果不明 was sent again; `false` if it is in another state.
    fn mark_resent(&mut self, id: SendId) -> Result<bool, StoreError>;

    /// Marks what runs that are proved dead had on their way as 結果不明, and returns it.
    fn abandon_sends(&mut self, dead: Dead<'_>, reason: &str, at: Instant) -> Result<Vec<Send>, StoreError>;

    /// Marks what waits or is on its way as 結果不明, at most `limit`, and returns it: in a store that was put back or
    /// copied nobody knows what left.
    fn give_up_sends(&mut self, reason: &str, at: Instant, limit: usize) -> Result<Vec<Send>, StoreError>;
}
