//! How it goes with a connection, for whoever looks after it: the token in use and what went wrong last.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crm_domain::instant::Instant;
use crm_domain::ports::connector::{LineTrouble, TokenSeen};

use crate::outcome::ServiceTrouble;

/// Notes of one connection. They hold neither tokens nor messages.
#[derive(Default)]
pub(crate) struct Journal(Mutex<Notes>);

#[derive(Default)]
struct Notes {
    token: Option<TokenSeen>,
    trouble: Option<LineTrouble>,
}

impl Journal {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token is in use.
    pub(crate) fn token(&self, seen: &TokenSeen) {
        let mut notes = self.notes();
        if notes.token.as_ref() != Some(seen) {
            notes.token = Some(seen.clone());
        }
    }

    /// Something went wrong. Of the service's words about a message nothing is kept: they may repeat it.
    pub(crate) fn trouble(&self, trouble: &ServiceTrouble, now: Instant) {
        self.notes().trouble = Some(trouble.seen(now));
    }

    /// The token in use, and what went wrong last.
    pub(crate) fn read(&self) -> (Option<TokenSeen>, Option<LineTrouble>) {
        let notes = self.notes();
        (notes.token.clone(), notes.trouble.clone())
    }
}
