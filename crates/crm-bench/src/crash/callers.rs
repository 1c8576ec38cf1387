//! Those who load the server: lines that post callbacks, and people who answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crm_domain::ports::host::Clock as _;
use crm_host::SystemClock;
use time::UtcOffset;

use crate::accounts::ledger::Ledger;
use crate::dice::Dice;
use crate::trial::{Desk, Line, callback, callback_of, send};

/// How many of a hundred callbacks are ones that were posted before.
const REPEATED: u64 = 8;
/// How many of a hundred callbacks come from somebody who is no customer.
const STRANGE: u64 = 10;
/// How many of a hundred messages are posted once more with the same key, although the answer came.
const PRESSED_AGAIN: u64 = 10;
/// How often one message is tried; far more than there can be kills in a row.
const TRIES: u32 = 200;

/// What all callers share.
#[derive(Debug)]
pub(super) struct Office {
    pub(super) desk: Desk,
    pub(super) ledger: Ledger,
    pub(super) stop: AtomicBool,
}

impl Office {
    fn closed(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn customer(&self, dice: &mut Dice) -> usize {
        usize::try_from(dice.below(self.desk.customers.len() as u64)).unwrap_or_default()
    }

    /// The user id of a place in the list of customers; the one behind its end is the stranger's.
    fn user(&self, customer: usize) -> &str {
        let known = self.desk.customers.get(customer);
        known.map_or(&self.desk.stranger, |(_, user)| user)
    }
}

/// Posts callbacks until it is told to stop: bursts without a pause, then a rest.
pub(super) async fn post_callbacks(office: Arc<Office>, mut line: Line, name: String, mut dice: Dice) {
    for number in 0_u64.. {
        if office.closed() {
            return;
        }
        let (text, body) = if dice.hits(REPEATED) {
            office.ledger.remembered(&mut dice)
        } else {
            None
        }
        .unwrap_or_else(|| new_callback(&office, &format!("{name}-{number}"), &mut dice));
        office.ledger.posts(&text);
        if let Some(answer) = line.ask(&callback(&body)).await {
            office.ledger.callback_answered(&text, answer.status);
        }
        if dice.hits(2) {
            tokio::time::sleep(Duration::from_millis(dice.below(60))).await;
        }
    }
}

fn new_callback(office: &Office, text: &str, dice: &mut Dice) -> (String, Vec<u8>) {
    let customer = if dice.hits(STRANGE) {
        office.desk.customers.len()
    } else {
        office.customer(dice)
    };
    let user = office.user(customer);
    let body = callback_of(user, text, SystemClock.now().at_offset(UtcOffset::UTC));
    office.ledger.knows(text, customer);
    office.ledger.remember(text, &body);
    (text.to_owned(), body)
}

/// Writes messages until it is told to stop. One whose answer was lost is posted again under its key until there is one.
pub(super) async fn write_messages(office: Arc<Office>, mut line: Line, name: String, mut dice: Dice) {
    for number in 0_u64.. {
        if office.closed() {
            return;
        }
        let text = format!("{name}-{number}");
        let customer = office.customer(&mut dice);
        let Some((id, _)) = office.desk.customers.get(customer) else {
            return;
        };
        let request = send(&office.desk.token, id.get(), &text, &format!("key-{text}"));
        let mut wanted = 1 + u32::from(dice.hits(PRESSED_AGAIN));
        for _ in 0..TRIES {
            office.ledger.writes(&text, customer);
            if let Some(answer) = line.ask(&request).await {
                office.ledger.message_answered(&text, answer.status, &answer.body);
                wanted -= u32::from(answer.status != 503);
            }
            if wanted == 0 {
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(dice.below(30))).await;
    }
}
