//! How much each token may ask for: a greedy program gets 429 and leaves the others their share. Of several instances each
//! counts for itself, tells the others about every second, and adds what they told.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crm_domain::members::TokenId;
use crm_domain::permissions::Actor;
use crm_domain::shared_counts::SharedCount;
use tokio::sync::Notify;

use crate::problem::Failure;

const MINUTE: Duration = Duration::from_mins(1);
/// Under this name and its id instances tell what a token asked for.
const NAME: &str = "api/";
/// Whoever takes this part of his limit between two talks makes the next one come early.
const GREED: u32 = 20;

/// Counts the requests of every token.
#[derive(Debug, Default)]
pub struct Allowance {
    a_minute: Option<u32>,
    counts: Mutex<Counts>,
    greed: Notify,
}

#[derive(Debug, Default)]
struct Counts {
    own: HashMap<TokenId, Count>,
    /// What the other instances told of the last minute, and when they were heard.
    others: HashMap<TokenId, u32>,
}

/// What a token asked for in the minute that runs and in the one before.
#[derive(Debug, Clone, Copy)]
struct Count {
    began: Instant,
    now: u32,
    before: u32,
    /// How many came since the others were told.
    untold: u32,
    /// Whether the others know of some.
    told: bool,
}

impl Allowance {
    /// So many requests a minute for each token; `None` for no limit.
    pub fn new(a_minute: Option<u32>) -> Self {
        Self {
            a_minute,
            ..Self::default()
        }
    }

    /// Counts a request of a program; people are not counted.
    pub(super) fn take(&self, actor: &Actor) -> Result<(), Failure> {
        let (Some(limit), Actor::Token { token, .. }) = (self.a_minute, actor) else {
            return Ok(());
        };
        match self.take_at(*token, limit, Instant::now()) {
            None => Ok(()),
            Some(retry_after) => Err(Failure::TooManyRequests { retry_after }),
        }
    }

    /// Counts one more, or says after how many seconds there is room again.
    fn take_at(&self, token: TokenId, limit: u32, now: Instant) -> Option<u32> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let others = counts.others.get(&token).copied().unwrap_or_default();
        if !counts.own.contains_key(&token) {
            counts
                .own
                .retain(|_, count| now.duration_since(count.began) < 2 * MINUTE);
        }
        let count = counts.own.entry(token).or_insert(Count {
            began: now,
            now: 0,
            before: 0,
            untold: 0,
            told: false,
        });
        count.roll(now);
        let wait = count.wait(limit, others, now);
        if wait.is_none() {
            count.now += 1;
            count.untold += 1;
            if count.untold == limit.div_ceil(GREED) {
                self.greed.notify_one();
            }
        }
        wait
    }

    /// Waits until a token took so much that the others should know at once.
    pub(crate) async fn greed(&self) {
        self.greed.notified().await;
    }

    /// What the other instances are to know: how much each token asked here for in the last minute.
    pub(crate) fn tell(&self) -> Vec<SharedCount> {
        self.tell_at(Instant::now())
    }

    fn tell_at(&self, now: Instant) -> Vec<SharedCount> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let tell = |(token, count): (&TokenId, &mut Count)| {
            count.roll(now);
            let asked = count.asked(now);
            let known = std::mem::replace(&mut count.told, asked > 0);
            count.untold = 0;
            (asked > 0 || known).then(|| SharedCount {
                name: format!("{NAME}{token}"),
                count: i64::from(asked),
            })
        };
        counts.own.iter_mut().filter_map(tell).collect()
    }

    /// What the other instances told.
    pub(crate) fn hear(&self, told: &[SharedCount]) {
        let mut others: HashMap<TokenId, u32> = HashMap::new();
        for count in told {
            let token = count.name.strip_prefix(NAME).and_then(|id| id.parse().ok());
            if let (Some(token), Ok(asked)) = (token, u32::try_from(count.count)) {
                let sum = others.entry(TokenId::new(token)).or_default();
                *sum = sum.saturating_add(asked);
            }
        }
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).others = others;
    }
}

impl Count {
    fn roll(&mut self, now: Instant) {
        let passed = now.duration_since(self.began);
        if passed >= 2 * MINUTE {
            (self.began, self.now, self.before) = (now, 0, 0);
        } else if passed >= MINUTE {
            (self.began, self.now, self.before) = (self.began + MINUTE, 0, self.now);
        }
    }

    /// How much was asked for in the last 60 seconds, as far as two counts can tell.
    fn asked(&self, now: Instant) -> u32 {
        let left = MINUTE.saturating_sub(now.duration_since(self.began));
        let before = u64::from(self.before) * u64::try_from(left.as_millis()).unwrap_or(0);
        let before = before.div_ceil(60_000);
        self.now.saturating_add(u32::try_from(before).unwrap_or(u32::MAX))
    }

    /// What was asked for in the last 60 seconds, here and elsewhere, is held against the limit. Of what was asked for
    /// elsewhere it is not known when; it is taken for evenly spread.
    fn wait(&self, limit: u32, others: u32, now: Instant) -> Option<u32> {
        let passed = now.duration_since(self.began).as_secs_f64();
        let (limit, current, others) = (f64::from(limit), f64::from(self.now), f64::from(others));
        let over = |before: f64, current: f64, at: f64, others: f64| {
            before * (1.0 - at / 60.0) + current + others >= limit
        };
        if !over(f64::from(self.before), current, passed, others) {
            return None;
        }
        let later = |seconds: f64| {
            let (at, others) = (passed + seconds, others * (1.0 - seconds / 60.0));
            if at < 60.0 {
                over(f64::from(self.before), current, at, others)
            } else {
                over(current, 0.0, at - 60.0, others)
            }
        };
        (1..=60).find(|seconds| !later(f64::from(*seconds))).or(Some(60))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use crm_domain::members::TokenId;

    use super::Allowance;

    fn asked(allowance: &Allowance, times: u32, now: Instant) -> Option<u32> {
        (0..times).find_map(|_| allowance.take_at(TokenId::new(1), 60, now))
    }

    #[test]
    fn a_minute_holds_no_more_than_its_limit() {
        let allowance = Allowance::new(Some(60));
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        assert_eq!(asked(&allowance, 60, begun), None);
        let wait = allowance.take_at(TokenId::new(1), 60, at(10));
        assert_eq!(
            wait,
            Some(51),
            "a second after the minute the first ones begin to count less"
        );
        assert_eq!(
            allowance.take_at(TokenId::new(2), 60, at(10)),
            None,
            "another one is not concerned"
        );
        assert_eq!(asked(&allowance, 30, at(90)), None, "half of them counts no more");
        assert!(allowance.take_at(TokenId::new(1), 60, at(90)).is_some());
        assert_eq!(asked(&allowance, 60, at(400)), None, "all is forgotten");
    }

    #[test]
    fn what_other_instances_told_counts_too() {
        let (one, other) = (Allowance::new(Some(60)), Allowance::new(Some(60)));
        let begun = Instant::now();
        assert_eq!(asked(&one, 45, begun), None);
        other.hear(&one.tell_at(begun));
        assert_eq!(asked(&other, 15, begun), None);
        assert!(
            other
                .take_at(TokenId::new(1), 60, begun)
                .is_some_and(|wait| wait <= 60)
        );
        assert_eq!(other.take_at(TokenId::new(2), 60, begun), None, "another token");
        other.hear(&one.tell_at(begun + Duration::from_mins(2)));
        assert_eq!(
            other.take_at(TokenId::new(1), 60, begun),
            None,
            "an end is told as well"
        );
        let again = one.tell_at(begun + Duration::from_secs(121));
        assert_eq!(again, [], "once");
        other.hear(&[]);
        assert_eq!(asked(&other, 44, begun), None, "what nobody tells counts no more");
    }

    #[tokio::test]
    async fn a_greedy_token_is_told_of_early() {
        let allowance = Allowance::new(Some(60));
        assert_eq!(asked(&allowance, 3, Instant::now()), None);
        allowance.greed().await;
    }

    #[test]
    fn no_limit_counts_nothing() {
        let allowance = Allowance::new(None);
        let actor = crm_domain::permissions::Actor::Platform;
        assert!((0..10_000).all(|_| allowance.take(&actor).is_ok()));
    }
}
