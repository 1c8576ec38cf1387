//! The token in memory: asked for by one caller at a time, renewed before it ends, thrown away by number.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant as Moment;

use crm_domain::instant::Instant;
use crm_domain::ports::messenger::SendProblem;
use time::Duration;

use crate::outcome::ServiceTrouble;
use crate::token_request::Issued;

/// The longest that a token is used (§4.2.2).
const LONGEST: Duration = Duration::minutes(55);
/// A token is renewed so long before its end; a fifth of its life if that is shorter.
const MARGIN: Duration = Duration::minutes(5);
/// The life of a token whose service does not say: the shortest that an app can be given.
const UNSAID: u64 = 3_600;

/// An access token in use.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) text: Arc<str>,
    /// Counts the tokens of this process.
    pub(crate) number: u64,
    until: Instant,
}

#[derive(Default)]
struct Slot {
    token: Option<Token>,
    issued: u64,
    refreshing: bool,
    /// Counts finished requests for a token; the last one's trouble stands beside it.
    round: u64,
    trouble: Option<ServiceTrouble>,
}

/// The token of one service account. Blocking.
#[derive(Default)]
pub(crate) struct TokenCache {
    slot: Mutex<Slot>,
    refreshed: Condvar,
}

impl TokenCache {
    /// A token that is good at `now`. If there is none, one caller asks for it by `ask`, and the others wait until
    /// their deadline and share its outcome.
    pub(crate) fn get(
        &self,
        now: Instant,
        deadline: Moment,
        ask: impl FnOnce() -> Result<Issued, ServiceTrouble>,
    ) -> Result<Token, ServiceTrouble> {
        let mut slot = self.lock();
        loop {
            if let Some(token) = slot.token.as_ref().filter(|token| now < token.until) {
                return Ok(token.clone());
            }
            if !slot.refreshing {
                break;
            }
            let round = slot.round;
            slot = self.wait(slot, round, deadline)?;
            if let Some(trouble) = slot.trouble.as_ref() {
                return Err(trouble.clone());
            }
        }
        slot.refreshing = true;
        drop(slot);
        let turn = Turn {
            cache: self,
            outcome: None,
        };
        turn.finish(ask(), now)
    }

    /// Waits for the end of a round.
    fn wait<'a>(
        &'a self,
        mut slot: MutexGuard<'a, Slot>,
        round: u64,
        deadline: Moment,
    ) -> Result<MutexGuard<'a, Slot>, ServiceTrouble> {
        while slot.refreshing && slot.round == round {
            let left = deadline.saturating_duration_since(Moment::now());
            if left.is_zero() {
                return Err(ServiceTrouble::unanswered(SendProblem::TimedOut));
            }
            slot = self
                .refreshed
                .wait_timeout(slot, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        Ok(slot)
    }

    /// Throws away exactly the token that was refused; a newer one stays.
    pub(crate) fn invalidate(&self, number: u64) {
        let mut slot = self.lock();
        if slot.token.as_ref().is_some_and(|token| token.number == number) {
            slot.token = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The turn of the one caller who asks. However it ends, the others go on.
struct Turn<'a> {
    cache: &'a TokenCache,
    outcome: Option<Result<Token, ServiceTrouble>>,
}

impl Turn<'_> {
    fn finish(
        mut self,
        asked: Result<Issued, ServiceTrouble>,
        now: Instant,
    ) -> Result<Token, ServiceTrouble> {
        let outcome = asked.map(|issued| {
            let mut slot = self.cache.lock();
            slot.issued += 1;
            Token {
                text: issued.text.into(),
                number: slot.issued,
                until: now.plus(usable(issued.info.expires_in)),
            }
        });
        self.outcome = Some(outcome.clone());
        outcome
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut slot = self.cache.lock();
        slot.refreshing = false;
        slot.round += 1;
        slot.trouble = None;
        match self.outcome.take() {
            Some(Ok(token)) => slot.token = Some(token),
            Some(Err(trouble)) => slot.trouble = Some(trouble),
            None => slot.trouble = Some(ServiceTrouble::unanswered(SendProblem::TokenUnavailable)),
        }
        drop(slot);
        self.cache.refreshed.notify_all();
    }
}

/// How long a token is used.
fn usable(expires_in: Option<u64>) -> Duration {
    let seconds = expires_in.unwrap_or(UNSAID).min(u64::from(u32::MAX));
    let life = Duration::seconds(i64::try_from(seconds).unwrap_or_default());
    (life - MARGIN.min(life / 5)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::usable;
    use time::Duration;

    #[test]
    fn tokens_are_renewed_early() {
        for (expires_in, seconds) in [
            (Some(86_400), 3_300),
            (Some(3_600), 3_300),
            (Some(1_800), 1_500),
            (Some(60), 48),
            (Some(0), 0),
            (None, 3_300),
        ] {
            assert_eq!(usable(expires_in), Duration::seconds(seconds), "{expires_in:?}");
        }
    }
}
