//! LINE WORKS: key, token, bot, callbacks.

use std::sync::Arc;

use crm_compose::Settings;
use crm_compose::composition::config_of;
use crm_compose::line_works::{BotInfo, LineWorks, ServiceTrouble};

use super::{Round, State, members};

const ALL: [&str; 8] = [
    "private_key",
    "token",
    "bot",
    "callback_url",
    "callback_enabled",
    "events",
    members::CHECKS[0],
    members::CHECKS[1],
];

/// The events without which something is missing in the CRM.
const EVENTS: [&str; 3] = ["message", "begin", "end"];

pub(super) async fn check(round: &mut Round<'_>, settings: &Settings) {
    let Some(wanted) = &settings.line_works else {
        let reason = if settings.bot_id.is_some() {
            "settings"
        } else {
            "not_set_up"
        };
        round.skip(&ALL, reason);
        return;
    };
    let client = LineWorks::new(config_of(wanted), Arc::new(crm_compose::SystemClock));
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            round.bad("private_key", State::Failed, error.to_string(), "private_key");
            round.skip(&ALL[1..], "earlier");
            return;
        }
    };
    round.ok("private_key", "PEM");
    match client.check_token().await {
        Ok(token) => round.ok("token", token.scope),
        Err(trouble) => {
            say_trouble(round, "token", &trouble);
            round.skip(&ALL[2..], "earlier");
            return;
        }
    }
    match client.bot_info().await {
        Ok(bot) => {
            round.ok("bot", bot.name.clone());
            check_callback(round, &bot, settings);
        }
        Err(trouble) => {
            say_trouble(round, "bot", &trouble);
            round.skip(&ALL[3..6], "earlier");
        }
    }
    members::check(round, &client).await;
}

/// The sentence for the problem says what to do; the service's own words stand beside it.
fn say_trouble(round: &mut Round<'_>, check: &'static str, trouble: &ServiceTrouble) {
    let advice = round
        .texts
        .text(&format!("send_problem.{}", trouble.problem.code()));
    round.put(check, State::Failed, trouble.to_string(), advice);
}

fn check_callback(round: &mut Round<'_>, bot: &BotInfo, settings: &Settings) {
    let wanted: Vec<String> = settings
        .listen
        .public_urls
        .iter()
        .map(|url| format!("{}/webhook", url.origin()))
        .collect();
    let wanted_text = wanted.join(", ");
    let url = bot.callback_url.trim_end_matches('/');
    if url.is_empty() {
        round.bad("callback_url", State::Failed, wanted_text, "callback_url_missing");
    } else if wanted.iter().any(|wanted| wanted == url) {
        round.ok("callback_url", url);
    } else {
        let detail = format!("{url} ≠ {wanted_text}");
        round.bad("callback_url", State::Failed, detail, "callback_url_other");
    }
    if bot.callback_enabled {
        round.ok("callback_enabled", "");
    } else {
        round.bad("callback_enabled", State::Failed, "", "callback_enabled");
    }
    check_events(round, bot);
}

/// A service that does not say which events are ticked proves nothing.
fn check_events(round: &mut Round<'_>, bot: &BotInfo) {
    let ticked = &bot.channel_events;
    let missing: Vec<&str> = EVENTS
        .into_iter()
        .filter(|event| !ticked.is_empty() && !ticked.iter().any(|name| name == event))
        .collect();
    let texts = &bot.callback_events;
    if !texts.is_empty() && !texts.iter().any(|kind| kind == "text") {
        round.bad("events", State::Failed, texts.join(", "), "event_text");
    } else if missing.is_empty() {
        round.ok("events", ticked.join(", "));
    } else {
        round.bad("events", State::Warning, missing.join(", "), "events");
    }
}
