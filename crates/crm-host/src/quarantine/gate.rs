//! How many a second, in all and from one source.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Who sends: an IPv4 address, or the network that one subscriber has in IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Source {
    V4([u8; 4]),
    V6([u8; 8]),
    Unknown,
}

impl Source {
    pub(super) fn of(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => Self::V4(address.octets()),
            Some(IpAddr::V6(address)) => {
                let mut network = [0; 8];
                network.copy_from_slice(&address.octets()[..8]);
                Self::V6(network)
            }
            None => Self::Unknown,
        }
    }
}

/// Lets some through each second.
#[derive(Debug)]
pub(super) struct Gate {
    in_all: u32,
    each: u32,
    state: Mutex<Option<State>>,
}

#[derive(Debug)]
struct State {
    since: Instant,
    passed: u32,
    by_source: HashMap<Source, u32>,
}

impl Gate {
    /// `in_all` a second, and `each` of them from one source.
    pub(super) fn new(in_all: u32, each: u32) -> Self {
        Self {
            in_all,
            each,
            state: Mutex::new(None),
        }
    }

    pub(super) fn pass(&self, source: Source) -> bool {
        self.pass_at(source, Instant::now())
    }

    pub(super) fn pass_at(&self, source: Source, now: Instant) -> bool {
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || State {
            since: now,
            passed: 0,
            by_source: HashMap::new(),
        };
        let state = guard.get_or_insert_with(fresh);
        if now.duration_since(state.since) >= Duration::from_secs(1) {
            *state = fresh();
        }
        if state.passed >= self.in_all {
            return false;
        }
        let mine = state.by_source.entry(source).or_default();
        if *mine >= self.each {
            return false;
        }
        *mine += 1;
        state.passed += 1;
        true
    }
}
