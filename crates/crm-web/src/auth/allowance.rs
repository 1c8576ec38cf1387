//! How much each token may ask for: a greedy program gets 429 and leaves the others their share.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crm_domain::members::TokenId;
use crm_domain::permissions::Actor;

use crate::problem::Failure;

const MINUTE: Duration = Duration::from_mins(1);

/// Counts the requests of every token.
#[derive(Debug, Default)]
pub struct Allowance {
    a_minute: Option<u32>,
    counts: Mutex<HashMap<TokenId, Count>>,
}

/// What a token asked for in the minute that runs and in the one before.
#[derive(Debug, Clone, Copy)]
struct Count {
    began: Instant,
    now: u32,
    before: u32,
}

impl Allowance {
    /// So many requests a minute for each token; `None` for no limit.
    pub fn new(a_minute: Option<u32>) -> Self {
        Self {
            a_minute,
            counts: Mutex::default(),
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
        if !counts.contains_key(&token) {
            counts.retain(|_, count| now.duration_since(count.began) < 2 * MINUTE);
        }
        let count = counts.entry(token).or_insert(Count {
            began: now,
            now: 0,
            before: 0,
        });
        count.roll(now);
        let wait = count.wait(limit, now);
        if wait.is_none() {
            count.now += 1;
        }
        wait
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

    /// What was asked for in the last 60 seconds, as far as two counts can tell, is held against the limit.
    fn wait(&self, limit: u32, now: Instant) -> Option<u32> {
        let passed = now.duration_since(self.began).as_secs_f64();
        let (limit, current) = (f64::from(limit), f64::from(self.now));
        let over = |before: f64, current: f64, at: f64| before * (1.0 - at / 60.0) + current >= limit;
        if !over(f64::from(self.before), current, passed) {
            return None;
        }
        let later = |at: f64| {
            if at < 60.0 {
                over(f64::from(self.before), current, at)
            } else {
                over(current, 0.0, at - 60.0)
            }
        };
        (1..=60)
            .find(|seconds| !later(passed + f64::from(*seconds)))
            .or(Some(60))
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
    fn no_limit_counts_nothing() {
        let allowance = Allowance::new(None);
        let actor = crm_domain::permissions::Actor::Platform;
        assert!((0..10_000).all(|_| allowance.take(&actor).is_ok()));
    }
}
