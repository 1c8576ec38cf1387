//! `crm webhook`.

use crm_compose::Need;
use serde_json::json;

use super::{DONE, Outcome};
use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Webhook {
    /// Try again to understand kept callbacks that could not be understood.
    Reinterpret,
    /// Verify held callbacks again and record those that are right now.
    Recheck,
}

pub(crate) async fn run(context: &Context, command: Webhook) -> Outcome {
    match command {
        Webhook::Reinterpret => {
            let desk = context.desk(Need::Store).await?;
            let count = desk.parts.crm.reinterpret_callbacks(&desk.actor).await?;
            let sentence = context
                .output
                .texts()
                .fill("webhook.reinterpret", &[("count", &count.to_string())]);
            context.output.said(&sentence, &json!({"reopened": count}));
        }
        Webhook::Recheck => recheck(context).await?,
    }
    DONE
}

/// By the settings as they are now: whoever mends them runs this next.
async fn recheck(context: &Context) -> Result<(), Failure> {
    let desk = context.desk(Need::WithPages).await?;
    let ranges = desk.parts.settings.rules.allowed_ips.clone();
    let allowed = move |address| ranges.is_empty() || ranges.iter().any(|range| range.contains(address));
    let done = desk.parts.crm.recheck_callbacks(&desk.actor, allowed).await?;
    let numbers = [
        ("rechecked", done.rechecked),
        ("recorded", done.recorded),
        ("existed", done.existed),
        ("still_wrong", done.still_wrong),
    ];
    let words = numbers.map(|(name, count)| (name, count.to_string()));
    let words: Vec<(&str, &str)> = words
        .iter()
        .map(|(name, count)| (*name, count.as_str()))
        .collect();
    let sentence = context.output.texts().fill("webhook.recheck", &words);
    let answer: serde_json::Map<String, serde_json::Value> = numbers
        .into_iter()
        .map(|(name, count)| (name.to_owned(), json!(count)))
        .collect();
    context.output.said(&sentence, &serde_json::Value::Object(answer));
    Ok(())
}
