//! The secret key: whether it is the one that the database goes by, and whether everything sealed has its data key.

use crm_compose::Composition;
use crm_domain::permissions::Actor;

use super::{Round, State};
use crate::commands::keys::fingerprint;

pub(super) async fn check(round: &mut Round<'_>, parts: &Composition) {
    if let Some(trouble) = parts.key_trouble() {
        let sentence = trouble.sentence(round.texts.locale());
        return round.put("keys", State::Failed, sentence, "");
    }
    let status = match parts.key_status(&Actor::Job("doctor")).await {
        Ok(status) => status,
        Err(error) => return round.bad("keys", State::Failed, error.to_string(), "database"),
    };
    let counts = [
        ("keys", status.keys.len() as u64),
        ("values", status.keys.iter().map(|used| used.values).sum()),
        ("files", status.keys.iter().map(|used| used.files).sum()),
    ];
    let counts = counts.map(|(name, count)| (name, count.to_string()));
    let counts = counts.each_ref().map(|(name, count)| (*name, count.as_str()));
    let mut detail = round.texts.fill("keys.counts", &counts);
    if let Some(print) = fingerprint(&status) {
        detail = format!("{print} {detail}");
    }
    if status.lost > 0 {
        round.bad("keys", State::Failed, detail, "keys_lost");
    } else if status.plain_files > 0 {
        round.bad("keys", State::Warning, detail, "keys_plain");
    } else {
        round.ok("keys", detail);
    }
}
