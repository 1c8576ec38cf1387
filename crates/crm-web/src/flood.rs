//! Keeps strangers from flooding the log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lets some lines through a second and counts the others.
#[derive(Debug)]
pub struct Flood {
    a_second: u32,
    state: Mutex<Option<State>>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    since: Instant,
    passed: u32,
    held: u64,
}

impl Flood {
    /// Lets `a_second` lines through each second.
    pub const fn new(a_second: u32) -> Self {
        Self {
            a_second,
            state: Mutex::new(None),
        }
    }

    /// Whether a line may be written now: how many were held back since the last one, or `None` if this one is too.
    pub fn pass(&self) -> Option<u64> {
        self.pass_at(Instant::now())
    }

    fn pass_at(&self, now: Instant) -> Option<u64> {
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = guard.get_or_insert(State {
            since: now,
            passed: 0,
            held: 0,
        });
        if now.duration_since(state.since) >= Duration::from_secs(1) {
            *state = State {
                since: now,
                passed: 0,
                held: state.held,
            };
        }
        if state.passed >= self.a_second {
            state.held += 1;
            return None;
        }
        state.passed += 1;
        Some(std::mem::take(&mut state.held))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Flood;

    #[test]
    fn what_is_held_back_is_told_with_the_next_line() {
        let (flood, begun) = (Flood::new(2), Instant::now());
        let passed: Vec<_> = (0..5).map(|_| flood.pass_at(begun)).collect();
        assert_eq!(passed, [Some(0), Some(0), None, None, None]);
        assert_eq!(flood.pass_at(begun + Duration::from_secs(1)), Some(3));
        assert_eq!(flood.pass_at(begun + Duration::from_secs(1)), Some(0));
    }
}
