//! `crm token`.

use crm_compose::{Need, TimeZone};
use crm_domain::instant::Instant;
use crm_domain::members::{Scopes, TokenId};
use crm_domain::use_cases::TokenForm;
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
        /// What it may be used for, of what the user may.
        #[arg(long, value_delimiter = ',', value_parser = ["read", "write", "send"], default_value = "read,write,send")]
        scope: Vec<String>,
    },
    /// Show all tokens.
    List,
    /// Revoke a token, or all.
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Revoke {
    /// Its id.
    id: Option<TokenId>,
    /// The tokens of everybody.
    #[arg(long)]
    all: bool,
}

pub(crate) async fn run(context: &Context, command: Token) -> Outcome {
    let desk = context.desk(Need::Store).await?;
    let crm = &desk.parts.crm;
    match command {
        Token::Create {
            user,
            name,
            expires,
            scope,
        } => {
            let now = crm.now();
            let expires_at = match &expires {
                Some(text) => Some(end(text, now, desk.zone())?),
                None => None,
            };
            let member = find(&desk, &user).await?;
            let scopes = Scopes::from_codes(scope.iter().map(String::as_str)).unwrap_or(Scopes::ALL);
            let form = TokenForm {
                member: member.id,
                name: name.clone(),
                scopes,
                expires_at,
            };
            let token = crm.create_token(&desk.actor, form).await?;
            let sentence = context.output.texts().fill("token.made", &[("token", &token)]);
            let json = json!({"user": member.email.as_str(), "name": name, "scopes": scopes.codes(), "expires_at": expires_at, "token": token});
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
        Token::Revoke(Revoke { id: None, .. }) => {
            let revoked = crm.revoke_all_tokens(&desk.actor).await?;
            let sentence = context
                .output
                .texts()
                .fill("token.all_revoked", &[("count", &revoked.to_string())]);
            context.output.said(&sentence, &json!({"revoked": revoked}));
        }
        Token::Revoke(Revoke { id: Some(id), .. }) => {
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
