//! `crm token`.

use crm_compose::{Need, TimeZone};
use crm_domain::instant::Instant;
use crm_domain::members::TokenId;
use serde_json::json;
use time::macros::{format_description, time};
use time::{Date, Duration};

use super::users::find;
use super::{DONE, Outcome};
use crate::context::Context;
use crate::failure::Failure;
use crate::rows::TokenRow;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Token {
    /// Make a token; it is shown once.
    Create {
        /// E-mail address or id of the user for whom the program acts.
        #[arg(long)]
        user: String,
        /// What the token is called.
        #[arg(long)]
        name: String,
        /// Until when it is good: a date (2026-12-31, that day included) or a number of days (90d).
        #[arg(long, value_name = "D")]
        expires: Option<String>,
    },
    /// Show all tokens.
    List,
    /// Revoke a token.
    Revoke {
        /// Its id.
        id: TokenId,
    },
}

pub(crate) async fn run(context: &Context, command: Token) -> Outcome {
    let desk = context.desk(Need::Store).await?;
    let crm = &desk.parts.crm;
    match command {
        Token::Create { user, name, expires } => {
            let now = crm.now();
            let expires_at = match &expires {
                Some(text) => Some(end(text, now, desk.zone())?),
                None => None,
            };
            let member = find(&desk, &user).await?;
            let token = crm
                .create_token(&desk.actor, member.id, &name, expires_at)
                .await?;
            let sentence = context.output.texts().fill("token.made", &[("token", &token)]);
            let json = json!({"user": member.email.as_str(), "name": name, "expires_at": expires_at, "token": token});
            context.output.said(&sentence, &json);
        }
        Token::List => {
            let tokens = crm.list_tokens(&desk.actor).await?;
            let rows: Vec<TokenRow> = tokens
                .iter()
                .map(|(token, owner)| TokenRow::new(token, owner))
                .collect();
            context.output.list(&rows, desk.zone());
        }
        Token::Revoke { id } => {
            crm.revoke_token(&desk.actor, id).await?;
            let sentence = context
                .output
                .texts()
                .fill("token.revoked", &[("id", &id.to_string())]);
            context
                .output
                .said(&sentence, &json!({"id": id, "revoked": true}));
        }
    }
    DONE
}

/// The end that was typed; it must lie ahead.
fn end(text: &str, now: Instant, zone: &TimeZone) -> Result<Instant, Failure> {
    let end = moment(text, now, zone)
        .ok_or_else(|| Failure::Misused("expires", vec![("given", text.to_owned())]))?;
    if end <= now {
        return Err(Failure::Misused("expires_past", vec![("given", text.to_owned())]));
    }
    Ok(end)
}

fn moment(text: &str, now: Instant, zone: &TimeZone) -> Option<Instant> {
    if let Some(days) = text.strip_suffix('d').and_then(|days| days.parse::<u16>().ok()) {
        return Some(now.plus(Duration::days(i64::from(days))));
    }
    Date::parse(text, format_description!("[year]-[month]-[day]"))
        .ok()
        .and_then(Date::next_day)
        .map(|day| zone.instant_of(day.with_time(time!(0:00))))
}
