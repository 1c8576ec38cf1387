//! The send budget: LINE WORKS counts requests by operation and by the domain that owns the app, a minute at a time. What
//! left is kept as a log beside the messages, so that a restart knows what a minute ago was.

use time::Duration;

use crate::instant::Instant;
use crate::ports::messenger::{Heard, SendProblem};
use crate::ports::store::StoreError;
use crate::sends::SendId;

/// The time over which LINE WORKS counts.
pub const WINDOW: Duration = Duration::minutes(1);
/// The limit while neither a setting nor an answer has told another: that of the free plan.
pub const LIMIT_UNTIL_TOLD: u32 = 60;
/// How long the whole limit may be used without a pause; then half of it.
pub const LONG_RUN: Duration = Duration::minutes(30);
/// What ends a run. The budget itself makes one wait up to [`WINDOW`], which is no pause yet.
const PAUSE: Duration = Duration::seconds(61);
/// The longest wait that an answer is believed, in seconds.
const LONGEST_WAIT: u32 = 120;
/// In a hundred; the rest is kept back, because requests do not arrive at the distance at which they left.
const USED: u64 = 95;

/// Whose limit a request counts against.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BudgetKey {
    /// The domain that owns the app; empty if it is not told. Several bots of a domain share its limit.
    pub domain: String,
    /// LINE WORKS' name of the operation.
    pub operation: String,
}

/// What is known of a budget besides the departures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Budget {
    /// The limit a minute that the answers tell.
    pub said_limit: Option<u32>,
    /// Until when nothing may leave, as the answers tell.
    pub blocked_until: Option<Instant>,
    /// Since when requests leave without a pause.
    pub run_began: Option<Instant>,
    /// When the last one left.
    pub last_at: Option<Instant>,
}

/// What may leave now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// Anything.
    Free,
    /// What a person wrote; bulk from this instant on.
    People(Instant),
    /// Nothing before this instant.
    None(Instant),
}

impl Budget {
    /// What may leave at `now`, when `gone` are the departures of the last [`WINDOW`], oldest first, and `set` is the limit
    /// that the settings tell.
    pub fn room(&self, set: Option<u32>, gone: &[Instant], now: Instant) -> Room {
        // An instant further away than any answer may ask for is what a clock put back has left.
        let farthest = now.plus(Duration::seconds(LONGEST_WAIT.into()));
        if let Some(until) = self
            .blocked_until
            .filter(|until| *until > now && *until <= farthest)
        {
            return Room::None(until);
        }
        let limit = set.or(self.said_limit).unwrap_or(LIMIT_UNTIL_TOLD);
        let may = allowance(limit, self.is_long_run(now));
        let free_at = |used_up: usize| {
            let over = gone.len().checked_sub(used_up)?;
            gone.get(over).map(|left| left.plus(WINDOW))
        };
        let for_bulk = may - may / 10;
        match (free_at(may), free_at(for_bulk)) {
            (Some(at), _) => Room::None(at),
            (None, Some(at)) => Room::People(at),
            (None, None) => Room::Free,
        }
    }

    fn is_long_run(&self, now: Instant) -> bool {
        let goes_on = self.last_at.is_some_and(|last| now.since(last) < PAUSE);
        goes_on && self.run_began.is_some_and(|began| now.since(began) >= LONG_RUN)
    }

    /// The same after one more departure.
    #[must_use]
    pub fn departed(self, now: Instant) -> Self {
        let goes_on = self.last_at.is_some_and(|last| now.since(last) < PAUSE);
        let began = self.run_began.filter(|_| goes_on).unwrap_or(now).min(now);
        Self {
            run_began: Some(began),
            last_at: Some(now),
            ..self
        }
    }

    /// The same after an answer: its headers, and the wait that a 429 asks for.
    #[must_use]
    pub fn heard(self, heard: &Heard, problem: Option<SendProblem>, wait: Option<u32>, now: Instant) -> Self {
        let rate = heard.rate.unwrap_or_default();
        let wait = match problem {
            Some(SendProblem::RateLimited) => Some(wait.or(rate.reset).unwrap_or(60)),
            _ if rate.remaining == Some(0) => Some(rate.reset.unwrap_or(60)),
            _ => None,
        };
        let until = wait.map(|seconds| now.plus(seconds_of(seconds)));
        Self {
            said_limit: rate.limit.filter(|limit| *limit > 0).or(self.said_limit),
            blocked_until: until.max(self.blocked_until.filter(|until| *until > now)),
            ..self
        }
    }
}

/// How long a wait that an answer asks for is taken to be: 1 to 120 seconds.
pub fn seconds_of(wait: u32) -> Duration {
    Duration::seconds(wait.clamp(1, LONGEST_WAIT).into())
}

/// How many may leave in a window; at least one.
fn allowance(limit: u32, long_run: bool) -> usize {
    let parts = if long_run { 200 } else { 100 };
    usize::try_from(u64::from(limit) * USED / parts).map_or(usize::MAX, |count| count.max(1))
}

/// Looking budgets up.
pub trait BudgetQueries {
    /// What is known of a budget; nothing is known of a new one.
    fn budget(&mut self, key: &BudgetKey) -> Result<Budget, StoreError>;

    /// The departures after this instant, oldest first.
    fn departures_since(&mut self, key: &BudgetKey, since: Instant) -> Result<Vec<Instant>, StoreError>;
}

/// Changing budgets.
pub trait BudgetRepository {
    /// Keeps what is known of a budget.
    fn keep_budget(&mut self, key: &BudgetKey, budget: &Budget) -> Result<(), StoreError>;

    /// Notes that a message leaves.
    fn add_departure(&mut self, key: &BudgetKey, send: SendId, at: Instant) -> Result<(), StoreError>;

    /// Moves the last departure of a message to the instant at which it really leaves.
    fn move_departure(&mut self, send: SendId, at: Instant) -> Result<(), StoreError>;

    /// Takes the last departure of a message back: nothing of it left.
    fn remove_departure(&mut self, send: SendId) -> Result<(), StoreError>;

    /// Forgets departures before `oldest`. Those after `now`, which a clock put back has left, become departures at `now`.
    fn tidy_departures(&mut self, key: &BudgetKey, oldest: Instant, now: Instant) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::{Budget, LONG_RUN, Room, WINDOW};
    use crate::instant::Instant;
    use crate::ports::messenger::{Heard, RateLimit, SendProblem};

    fn at(seconds: i64) -> Instant {
        Instant::from_unix_millis(1_751_942_746_000).plus(Duration::seconds(seconds))
    }

    fn told(limit: u32, remaining: u32, reset: u32) -> Heard {
        Heard {
            at: None,
            rate: Some(RateLimit {
                limit: Some(limit),
                remaining: Some(remaining),
                reset: Some(reset),
            }),
        }
    }

    #[test]
    fn five_in_a_hundred_are_kept_back_and_a_tenth_is_for_people() {
        let budget = Budget::default();
        let gone: Vec<Instant> = (0..57).map(at).collect();
        let room = |count: usize| budget.room(Some(60), &gone[..count], at(58));
        assert_eq!(room(51), Room::Free);
        assert_eq!(room(52), Room::People(at(60)));
        assert_eq!(room(56), Room::People(at(64)));
        assert_eq!(room(57), Room::None(at(60)));
        assert_eq!(budget.room(Some(1), &gone[..1], at(58)), Room::None(at(60)));
        assert_eq!(
            budget.room(None, &gone, at(58)),
            Room::None(at(60)),
            "60 until told"
        );
    }

    #[test]
    fn a_run_of_half_an_hour_halves_the_limit_until_a_pause() {
        let begun = Budget::default().departed(at(0));
        let later = |seconds| Budget {
            last_at: Some(at(seconds)),
            ..begun
        };
        let gone: Vec<Instant> = (0..28).map(|_| at(1_800)).collect();
        let until = at(1_800).plus(WINDOW);
        assert_eq!(later(1_799).room(Some(60), &gone, at(1_799)), Room::Free);
        assert_eq!(later(1_800).room(Some(60), &gone, at(1_800)), Room::None(until));
        assert_eq!(later(1_800).room(Some(60), &[], at(1_861)), Room::Free);
        let rested = later(1_800).departed(at(1_861));
        assert_eq!(rested.run_began, Some(at(1_861)));
        let goes_on = later(1_800).departed(at(1_860));
        assert_eq!(goes_on.run_began, Some(at(0)));
        assert_eq!(LONG_RUN, Duration::seconds(1_800));
    }

    #[test]
    fn answers_are_obeyed_within_reason() {
        let followed = Budget::default().heard(&told(240, 239, 60), None, None, at(0));
        assert_eq!((followed.said_limit, followed.blocked_until), (Some(240), None));
        let empty = followed.heard(&told(240, 0, 17), None, None, at(0));
        assert_eq!(empty.room(None, &[], at(16)), Room::None(at(17)));
        assert_eq!(empty.room(None, &[], at(17)), Room::Free);
        let limited = Some(SendProblem::RateLimited);
        let refused = followed.heard(&Heard::default(), limited, Some(900), at(0));
        assert_eq!(refused.blocked_until, Some(at(120)));
        let unsaid = followed.heard(&Heard::default(), limited, None, at(0));
        assert_eq!(unsaid.blocked_until, Some(at(60)));
        assert_eq!(
            refused.room(None, &[], at(-3_600)),
            Room::Free,
            "the clock was put back"
        );
    }
}
