//! The token in memory: asked for by one caller at a time, renewed before it ends, thrown away by number. With a shelf, all
//! instances of an installation ask for one together; while it is away each asks for itself.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration as Span, Instant as Moment};

use crm_domain::instant::Instant;
use crm_domain::ports::connector::TokenSeen;
use crm_domain::ports::messenger::SendProblem;
use time::Duration;

use crate::outcome::ServiceTrouble;
use crate::shelf::{Shelf, Turned};
use crate::token_request::{Issued, TokenInfo};

/// The longest that a token is used (§4.2.2).
const LONGEST: Duration = Duration::minutes(55);
/// A token is renewed so long before its end; a fifth of its life if that is shorter.
const MARGIN: Duration = Duration::minutes(5);
/// The life of a token whose service does not say: the shortest that an app can be given.
const UNSAID: u64 = 3_600;
/// How often it is looked whether another instance has a newer one.
const LOOK: Span = Span::from_secs(5);
/// How often it is looked whether another instance that asks for one has got it.
const WAIT: Span = Span::from_millis(100);

/// An access token in use.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) text: Arc<str>,
    /// Counts the tokens of the shelf; below 0 those that this process has for itself.
    pub(crate) number: i64,
    /// As far as it may be shown.
    pub(crate) seen: TokenSeen,
    pub(crate) until: Instant,
}

#[derive(Default)]
struct Slot {
    token: Option<Token>,
    /// How many tokens this process had for itself.
    own: i64,
    /// No token of the shelf up to this number is used any more.
    spent: i64,
    refreshing: bool,
    /// Counts finished requests for a token; the last one's trouble stands beside it.
    round: u64,
    trouble: Option<ServiceTrouble>,
    /// When it was looked for a newer one.
    looked: Option<Moment>,
}

/// The token of one service account. Blocking.
#[derive(Default)]
pub(crate) struct TokenCache {
    slot: Mutex<Slot>,
    refreshed: Condvar,
    shelf: Option<Shelf>,
}

impl TokenCache {
    /// A cache that shares its tokens by this shelf.
    pub(crate) fn sharing(shelf: Option<Shelf>) -> Self {
        Self {
            shelf,
            ..Self::default()
        }
    }

    /// A token that is good at `now`. If there is none, one caller asks for it by `ask`, and the others wait until
    /// their deadline and share its outcome.
    pub(crate) fn get(
        &self,
        now: Instant,
        deadline: Moment,
        ask: impl FnOnce() -> Result<Issued, ServiceTrouble>,
    ) -> Result<Token, ServiceTrouble> {
        self.look_for_newer(deadline);
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
        slot.looked = Some(Moment::now());
        let beyond = slot.spent;
        drop(slot);
        let turn = Turn {
            cache: self,
            outcome: None,
        };
        turn.finish(self.obtain(beyond, now, deadline, ask))
    }

    /// From the shelf, or from the service: whoever may ask it keeps what it grants on the shelf.
    fn obtain(
        &self,
        beyond: i64,
        now: Instant,
        deadline: Moment,
        ask: impl FnOnce() -> Result<Issued, ServiceTrouble>,
    ) -> Result<Token, ServiceTrouble> {
        let Some(shared) = &self.shelf else {
            return Ok(self.own(ask()?, now));
        };
        loop {
            match shared.turn(beyond, now, deadline) {
                Turned::Good(token) => return Ok(token),
                Turned::Ours => break,
                Turned::Away => return Ok(self.own(ask()?, now)),
                Turned::Wait if Moment::now() + WAIT >= deadline => {
                    return Err(ServiceTrouble::unanswered(SendProblem::TokenUnavailable));
                }
                Turned::Wait => std::thread::sleep(WAIT),
            }
        }
        let issued = ask().inspect_err(|_| shared.give_up(deadline))?;
        match shared.keep(&issued, usable(issued.info.expires_in), deadline) {
            Some(number) => Ok(token_of(issued, number, now)),
            None => Ok(self.own(issued, now)),
        }
    }

    /// A token that only this process knows.
    fn own(&self, issued: Issued, now: Instant) -> Token {
        let mut slot = self.lock();
        slot.own += 1;
        let number = -slot.own;
        drop(slot);
        token_of(issued, number, now)
    }

    /// Lets a token go that another instance has replaced: a newer one may have been granted more.
    fn look_for_newer(&self, deadline: Moment) {
        let Some(shared) = &self.shelf else { return };
        let mut slot = self.lock();
        let number = match &slot.token {
            Some(token) if token.number > 0 && slot.looked.is_none_or(|at| at.elapsed() >= LOOK) => {
                token.number
            }
            _ => return,
        };
        slot.looked = Some(Moment::now());
        drop(slot);
        if shared.newest(deadline).is_some_and(|newest| newest > number) {
            self.drop_token(number);
        }
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

    /// Throws away exactly the token that was refused, for all instances; a newer one stays.
    pub(crate) fn invalidate(&self, number: i64, deadline: Moment) {
        self.drop_token(number);
        if number <= 0 {
            return;
        }
        let mut slot = self.lock();
        slot.spent = slot.spent.max(number);
        drop(slot);
        if let Some(shelf) = &self.shelf {
            shelf.refuse(number, deadline);
        }
    }

    fn drop_token(&self, number: i64) {
        let mut slot = self.lock();
        if slot.token.as_ref().is_some_and(|token| token.number == number) {
            slot.token = None;
        }
    }

    /// Throws away whatever token there is. Other instances go on with theirs until there is a newer one.
    pub(crate) fn forget(&self, deadline: Moment) {
        let newest = self.shelf.as_ref().and_then(|shelf| shelf.newest(deadline));
        let mut slot = self.lock();
        let held = slot.token.take().map_or(0, |token| token.number);
        slot.spent = slot.spent.max(held).max(newest.unwrap_or(0));
    }

    /// How old the token at hand is, counted back from when it is given up: one that lives shorter than an hour seems older.
    pub(crate) fn age(&self, now: Instant) -> Option<Duration> {
        let slot = self.lock();
        let token = slot.token.as_ref().filter(|token| now < token.until)?;
        Some((LONGEST - token.until.since(now)).max(Duration::ZERO))
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
    fn finish(mut self, outcome: Result<Token, ServiceTrouble>) -> Result<Token, ServiceTrouble> {
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

fn token_of(issued: Issued, number: i64, now: Instant) -> Token {
    Token {
        until: now.plus(usable(issued.info.expires_in)),
        seen: TokenSeen {
            until: life(&issued.info).map(|left| now.plus(left)),
            scope: issued.info.scope,
        },
        text: issued.text.into(),
        number,
    }
}

/// How long the service takes a token, if it says so.
pub(crate) fn life(info: &TokenInfo) -> Option<Duration> {
    let seconds = u32::try_from(info.expires_in?).ok()?;
    Some(Duration::seconds(seconds.into()))
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
        cache.invalidate(first.number, soon());
        let second = cache.get(now(), soon(), issued).ok().unwrap();
        assert_eq!((first.number, second.number), (-1, -2));
        cache.invalidate(first.number, soon());
        assert_eq!(cache.get(now(), soon(), issued).ok().unwrap().number, -2);
    }
}
