//! How long things are kept: rules, what they would take, and what holds them back.

use time::{Date, Month};

use crate::conversations::ConversationId;
use crate::customers::CustomerId;
use crate::erasures::Talk;
use crate::id::Id;
use crate::instant::Instant;
use crate::ports::store::StoreError;
use crate::receipts::ReceiptId;
use crate::tally::Tally;

/// How long the bodies of recorded callbacks are kept.
pub const BODIES_LIFE: time::Duration = time::Duration::days(7);
/// The longest time of a rule, in months.
pub const MONTHS_MAX: u32 = 1_200;

/// A hold's key.
pub type HoldId = Id<Hold>;

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleKind {
    /// Messages received and sent.
    Messages,
    /// 社内メモ.
    Notes,
    /// People who wrote and are no customers, since they wrote last.
    UnknownSenders,
    /// The audit log.
    Audit,
}

impl RuleKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Messages, Self::Notes, Self::UnknownSenders, Self::Audit];

    /// The code that stores and forms use.
    pub fn code(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Notes => "notes",
            Self::UnknownSenders => "unknown_senders",
            Self::Audit => "audit",
        }
    }

    /// The kind of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// How long one kind is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Of what.
    pub kind: RuleKind,
    /// After how many months it goes; `None` keeps it for ever.
    pub months: Option<u32>,
}

/// The instant so many months before `now`, at the same time of day; the last of a month that has no such day.
pub fn months_before(now: Instant, months: u32) -> Instant {
    let at = now.utc();
    let (year, month, day) = at.to_calendar_date();
    let count = i64::from(year) * 12 + i64::from(u8::from(month)) - 1 - i64::from(months);
    let year = i32::try_from(count.div_euclid(12)).unwrap_or(1);
    let month = u8::try_from(count.rem_euclid(12) + 1).ok();
    let month = month.and_then(|month| Month::try_from(month).ok());
    let month = month.unwrap_or(Month::January);
    let day = day.min(month.length(year));
    let date = Date::from_calendar_date(year, month, day).unwrap_or(Date::MIN);
    Instant::from_utc(at.replace_date(date))
}

/// What would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Foreseen {
    /// How many.
    pub count: u64,
    /// How many more would go if nothing held them back.
    pub held: u64,
    /// The time of the oldest that would go.
    pub oldest: Option<Instant>,
}

/// 削除の停止: nothing is taken from this customer, or from anybody, by rules, trash or erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its key.
    pub id: HoldId,
    /// Of whom; `None` for everything.
    pub customer_id: Option<CustomerId>,
    /// The customer's name.
    pub customer_name: Option<String>,
    /// Why, one line.
    pub reason: String,
    /// Since when.
    pub placed_at: Instant,
    /// By whom, as shown.
    pub placed_by: String,
}

/// A daily run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HouseRun {
    /// Its key.
    pub id: Id<HouseRun>,
    /// When it began.
    pub started_at: Instant,
    /// When it ended; `None` while it lasts, or if it was broken off.
    pub finished_at: Option<Instant>,
    /// Whether a hold of everything prevented it.
    pub held: bool,
    /// What it took.
    pub tally: Tally,
}

/// Looking rules, holds and runs up.
pub trait RetentionQueries {
    /// The rules that are set.
    fn retention_rules(&mut self) -> Result<Vec<Rule>, StoreError>;

    /// The holds that are in force, newest first.
    fn holds(&mut self) -> Result<Vec<Hold>, StoreError>;

    /// Whether a hold of this customer, or of everything, is in force.
    fn is_held(&mut self, customer: CustomerId) -> Result<bool, StoreError>;

    /// Whether a hold of everything is in force.
    fn everything_held(&mut self) -> Result<bool, StoreError>;

    /// The newest run.
    fn last_house_run(&mut self) -> Result<Option<HouseRun>, StoreError>;

    /// What is older than this, of messages, notes and unknown senders; nothing of other kinds.
    fn foresee(&mut self, kind: RuleKind, before: Instant) -> Result<Foreseen, StoreError>;

    /// The people who are no customers and have neither written nor been written to since `before`, at most `limit`.
    fn silent_talks(&mut self, before: Instant, limit: usize) -> Result<Vec<Talk>, StoreError>;
}

/// Changing rules and holds, and taking what is over its time. Nothing is taken from customers with a hold.
pub trait RetentionRepository {
    /// Sets a rule, in place of the one before; `None` keeps for ever.
    fn set_rule(&mut self, rule: Rule) -> Result<(), StoreError>;

    /// Places a hold. A customer that does not exist is `Missing("customer_id")`; one in the trash may be held.
    fn place_hold(
        &mut self,
        customer: Option<CustomerId>,
        reason: &str,
        by: &str,
        at: Instant,
    ) -> Result<HoldId, StoreError>;

    /// Lifts a hold; `false` if it is not in force.
    fn lift_hold(&mut self, id: HoldId, by: &str, at: Instant) -> Result<bool, StoreError>;

    /// Notes that a run begins; forgets all but the last hundred.
    fn begin_house_run(&mut self, at: Instant, held: bool) -> Result<Id<HouseRun>, StoreError>;

    /// Notes that it ended and what it took.
    fn end_house_run(&mut self, id: Id<HouseRun>, at: Instant, tally: &Tally) -> Result<(), StoreError>;

    /// Takes at most `limit` messages or notes older than this from all pages; tells also of which conversations.
    fn forget_activities(
        &mut self,
        kind: RuleKind,
        before: Instant,
        limit: usize,
        at: Instant,
    ) -> Result<(Tally, Vec<ConversationId>), StoreError>;

    /// Looks at `limit` callbacks after this one and empties the bodies of those recorded or of no use since `before`; tells
    /// where to go on, `None` at the end.
    fn empty_old_bodies(
        &mut self,
        before: Instant,
        after: ReceiptId,
        limit: usize,
    ) -> Result<(Tally, Option<ReceiptId>), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::months_before;
    use crate::instant::Instant;

    #[test]
    fn months_are_those_of_the_calendar() {
        let before = |text, months| months_before(Instant::parse(text).unwrap(), months).to_string();
        assert_eq!(before("2026-03-31T01:02:03Z", 1), "2026-02-28T01:02:03.000Z");
        assert_eq!(before("2026-11-23T00:00:00Z", 12), "2025-11-23T00:00:00.000Z");
        assert_eq!(before("2026-01-15T00:00:00Z", 1), "2025-12-15T00:00:00.000Z");
        assert_eq!(before("2026-01-15T00:00:00Z", 1_200), "1926-01-15T00:00:00.000Z");
    }
}
