//! Tries the credentials of a bot by hand: shows what was granted and how the bot is set up, and sends a text.
//!
//! `cargo run -p crm-lineworks --example send_text -- SETTINGS KEY [USER TEXT]`

#![expect(clippy::print_stdout, reason = "an example talks to the person who runs it")]

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use crm_domain::instant::Instant;
use crm_domain::ports::host::Clock;
use crm_domain::ports::messenger::{Messenger as _, OutgoingText};
use crm_domain::values::LineUserId;
use crm_lineworks::{LineWorks, LineWorksConfig};

struct MachineClock;

impl Clock for MachineClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "an example has no crm-host to take the clock from"
    )]
    fn now(&self) -> Instant {
        Instant::new(time::OffsetDateTime::now_utc())
    }
}

/// The lines `NAME=VALUE` of a settings file.
fn settings(text: &str) -> HashMap<&str, &str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim().trim_matches('"')))
        .collect()
}

fn config(settings: &HashMap<&str, &str>, private_key: String) -> LineWorksConfig {
    let get = |name: &str| settings.get(name).map(|value| (*value).to_owned());
    let base = LineWorksConfig::default();
    LineWorksConfig {
        bot_id: get("LINE_WORKS_BOT_ID").unwrap_or_default(),
        client_id: get("LINE_WORKS_CLIENT_ID").unwrap_or_default(),
        client_secret: get("LINE_WORKS_CLIENT_SECRET").unwrap_or_default(),
        service_account: get("LINE_WORKS_SERVICE_ACCOUNT").unwrap_or_default(),
        private_key,
        scope: get("LINE_WORKS_SCOPE").unwrap_or(base.scope.clone()),
        token_url: get("LINE_WORKS_TOKEN_URL").unwrap_or(base.token_url.clone()),
        api_url: get("LINE_WORKS_API_URL").unwrap_or(base.api_url.clone()),
        ..base
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, key, message @ ..] = arguments.as_slice() else {
        return Err("usage: send_text SETTINGS KEY [USER TEXT]".into());
    };
    let (text, private_key) = (std::fs::read_to_string(file)?, std::fs::read_to_string(key)?);
    let line_works = LineWorks::new(config(&settings(&text), private_key), Arc::new(MachineClock))?;
    let granted = line_works.renew_token().await?;
    println!("token: scope {:?}, until {:?}", granted.scope, granted.until);
    match line_works.bot_setup().await {
        Ok(bot) => println!("bot: {bot:#?}"),
        Err(trouble) => println!("bot: {trouble}"),
    }
    if let [user, text] = message {
        let to = LineUserId::new(user)
            .ok()
            .flatten()
            .ok_or("the user id must not hold blanks")?;
        let message = OutgoingText {
            bot: line_works.bot(),
            to,
            text: text.clone(),
        };
        let by = line_works.prepare().await?;
        let answered = line_works.send_text(&message, by).await;
        answered.outcome?;
        println!("sent: {:?}", answered.heard);
    }
    Ok(())
}
