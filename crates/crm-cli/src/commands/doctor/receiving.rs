//! Callbacks that are not in the database: waiting in the spool, or held because they do not count.

use std::path::Path;

use crm_compose::{Composition, spooled_in};
use crm_domain::permissions::Actor;

use super::{Round, State};

/// So many wrong signatures without a right one after them are no accident.
const FAILURES: usize = 3;

pub(super) fn check_spool(round: &mut Round<'_>, dir: &Path) {
    match spooled_in(dir) {
        Ok(0) => round.ok("spool", "0"),
        Ok(count) => round.bad("spool", State::Warning, count.to_string(), "spool"),
        Err(error) => round.bad("spool", State::Failed, error.to_string(), "spool_unusable"),
    }
}

pub(super) async fn check_held(round: &mut Round<'_>, parts: &Composition) {
    let operator = Actor::Operator {
        name: "doctor".to_owned(),
    };
    let held = match parts.crm.held_callbacks(&operator).await {
        Ok(held) => held,
        Err(error) => return round.bad("held", State::Failed, error.to_string(), "database"),
    };
    let count = held.wrong_signature + held.other_address;
    if held.since_success >= FAILURES {
        round.bad("held", State::Failed, count.to_string(), "wrong_signatures");
    } else if held.other_address > 0 {
        round.bad("held", State::Warning, count.to_string(), "other_address");
    } else if count > 0 {
        round.bad("held", State::Warning, count.to_string(), "held");
    } else {
        round.ok("held", "0");
    }
}
