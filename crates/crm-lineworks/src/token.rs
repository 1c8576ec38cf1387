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

    /// Throws away whatever token there is.
    pub(crate) fn forget(&self) {
        self.lock().token = None;
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
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;
    use std::thread;
    use std::time::{Duration as Span, Instant as Moment};

    use crm_domain::instant::Instant;
    use crm_domain::ports::messenger::SendProblem;
    use time::Duration;

    use super::{Issued, ServiceTrouble, TokenCache, usable};
    use crate::token_request::TokenInfo;

    fn now() -> Instant {
        Instant::from_unix_millis(0)
    }

    fn soon() -> Moment {
        Moment::now() + Span::from_secs(10)
    }

    #[expect(clippy::unnecessary_wraps, reason = "it stands for a request that can fail")]
    fn issued() -> Result<Issued, ServiceTrouble> {
        Ok(Issued {
            text: "t".into(),
            info: TokenInfo {
                scope: String::new(),
                expires_in: None,
            },
        })
    }

    #[test]
    fn tokens_are_renewed_early() {
        let lives = [
            (86_400, 3_300),
            (3_600, 3_300),
            (1_800, 1_500),
            (60, 48),
            (0, 0),
            (u64::MAX, 3_300),
        ];
        for (expires_in, seconds) in lives {
            assert_eq!(
                usable(Some(expires_in)),
                Duration::seconds(seconds),
                "{expires_in}"
            );
        }
        assert_eq!(usable(None), Duration::seconds(3_300));
    }

    /// One caller asks and fails while others wait: none of them asks again.
    #[test]
    fn those_who_wait_share_the_trouble() {
        let cache = TokenCache::default();
        let asked = AtomicU32::new(0);
        let (started, first_asks) = mpsc::channel();
        thread::scope(|scope| {
            let first = scope.spawn(|| {
                cache.get(now(), soon(), || {
                    asked.fetch_add(1, Ordering::SeqCst);
                    started.send(()).unwrap();
                    thread::sleep(Span::from_millis(300));
                    Err(ServiceTrouble::unanswered(SendProblem::ScopeRefused))
                })
            });
            first_asks.recv().unwrap();
            let others: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| cache.get(now(), soon(), issued)))
                .collect();
            for caller in others.into_iter().chain([first]) {
                let trouble = caller.join().unwrap().err().unwrap();
                assert_eq!(trouble.problem, SendProblem::ScopeRefused);
            }
        });
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert!(cache.get(now(), soon(), issued).is_ok());
    }

    #[test]
    fn who_waits_too_long_gives_up() {
        let cache = TokenCache::default();
        let (started, first_asks) = mpsc::channel();
        thread::scope(|scope| {
            let first = scope.spawn(|| {
                cache.get(now(), soon(), || {
                    started.send(()).unwrap();
                    thread::sleep(Span::from_millis(300));
                    issued()
                })
            });
            first_asks.recv().unwrap();
            let hurried = cache.get(now(), Moment::now() + Span::from_millis(20), issued);
            assert_eq!(hurried.err().unwrap().problem, SendProblem::TimedOut);
            assert!(first.join().unwrap().is_ok());
        });
    }

    #[test]
    fn a_caller_that_panics_leaves_the_turn_to_others() {
        let cache = TokenCache::default();
        let panicked = thread::scope(|scope| {
            scope
                .spawn(|| cache.get(now(), soon(), || panic!("as the test wants")))
                .join()
                .is_err()
        });
        assert!(panicked);
        assert!(cache.get(now(), soon(), issued).is_ok());
    }

    #[test]
    fn only_the_refused_token_is_thrown_away() {
        let cache = TokenCache::default();
        let first = cache.get(now(), soon(), issued).ok().unwrap();
        cache.invalidate(first.number);
        let second = cache.get(now(), soon(), issued).ok().unwrap();
        assert_eq!((first.number, second.number), (1, 2));
        cache.invalidate(first.number);
        assert_eq!(cache.get(now(), soon(), issued).ok().unwrap().number, 2);
    }
}
