//! What was asked of the server and what it answered, kept outside of it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many callbacks are remembered to be sent again on purpose.
const REMEMBERED: usize = 64;

/// A callback, told by its text.
#[derive(Debug, Default)]
pub(crate) struct Callback {
    /// Whose, as a place in the list of customers.
    pub(crate) customer: usize,
    /// How often it was posted.
    pub(crate) asked: u32,
    /// How often that was answered 200.
    pub(crate) answered: u32,
}

/// A message of ours, told by its text, which is its key too.
#[derive(Debug, Default)]
pub(crate) struct Message {
    /// To whom, as a place in the list of customers.
    pub(crate) customer: usize,
    /// How often it was posted with its key.
    pub(crate) asked: u32,
    /// How often that was answered with an outcome.
    pub(crate) answered: u32,
    /// Whether an answer said that it was sent.
    pub(crate) told_sent: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Entries {
    pub(crate) callbacks: HashMap<String, Callback>,
    pub(crate) messages: HashMap<String, Message>,
    /// Answers that have no place here: status and what was asked.
    pub(crate) strange: Vec<String>,
    /// Answers 503.
    pub(crate) refused: u64,
    recent: Vec<(String, Vec<u8>)>,
    next: usize,
}

/// Shared by all callers.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Entries>);

impl Ledger {
    pub(crate) fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn knows(&self, text: &str, customer: usize) {
        let callback = Callback {
            customer,
            ..Callback::default()
        };
        self.entries().callbacks.insert(text.to_owned(), callback);
    }

    pub(crate) fn posts(&self, text: &str) {
        if let Some(callback) = self.entries().callbacks.get_mut(text) {
            callback.asked += 1;
        }
    }

    pub(crate) fn callback_answered(&self, text: &str, status: u16) {
        let mut entries = self.entries();
        match status {
            200 => {
                if let Some(callback) = entries.callbacks.get_mut(text) {
                    callback.answered += 1;
                }
            }
            // A balancer says 502 and 504 when it does not know either.
            502..=504 => entries.refused += 1,
            _ => entries.strange.push(format!("{status} to the callback {text}")),
        }
    }

    pub(crate) fn writes(&self, text: &str, customer: usize) {
        let mut entries = self.entries();
        let message = entries.messages.entry(text.to_owned()).or_default();
        message.customer = customer;
        message.asked += 1;
    }

    pub(crate) fn message_answered(&self, text: &str, status: u16, body: &str) {
        let mut entries = self.entries();
        match status {
            200 | 202 => {
                if let Some(message) = entries.messages.get_mut(text) {
                    message.answered += 1;
                    message.told_sent |= body.contains("\"state\":\"sent\"");
                }
            }
            // A balancer says 502 and 504 when it does not know either.
            502..=504 => entries.refused += 1,
            _ => entries
                .strange
                .push(format!("{status} to the message {text}: {body}")),
        }
    }

    /// Remembers a callback, so that any line can send it again.
    pub(crate) fn remember(&self, text: &str, body: &[u8]) {
        let mut entries = self.entries();
        let place = entries.next % REMEMBERED;
        entries.next += 1;
        let kept = (text.to_owned(), body.to_owned());
        match entries.recent.get_mut(place) {
            Some(old) => *old = kept,
            None => entries.recent.push(kept),
        }
    }

    /// One of those remembered; the newest ones may still be on their way on another line.
    pub(crate) fn remembered(&self, dice: &mut crate::dice::Dice) -> Option<(String, Vec<u8>)> {
        dice.pick(&self.entries().recent).cloned()
    }
}
