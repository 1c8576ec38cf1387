//! `crm webhook`.

use crm_compose::Need;
use serde_json::json;

use super::{DONE, Outcome};
use crate::context::Context;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Webhook {
    /// Try again to understand kept callbacks that could not be understood.
    Reinterpret,
}

pub(crate) async fn run(context: &Context, command: Webhook) -> Outcome {
    let desk = context.desk(Need::Store).await?;
    match command {
        Webhook::Reinterpret => {
            let count = desk.parts.crm.reinterpret_callbacks(&desk.actor).await?;
            let sentence = context
                .output
                .texts()
                .fill("webhook.reinterpret", &[("count", &count.to_string())]);
            context.output.said(&sentence, &json!({"reopened": count}));
        }
    }
    DONE
}
