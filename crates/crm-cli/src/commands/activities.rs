//! `crm activity`.

use crm_compose::Need;
use crm_domain::activities::ActivityId;
use crm_domain::customers::CustomerId;
use serde_json::json;

use super::companies::rows;
use super::{DONE, Outcome};
use crate::context::Context;
use crate::pages;
use crate::rows::ActivityRow;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Activity {
    /// Show a customer's messages, newest first.
    List {
        /// The customer's id.
        #[arg(long)]
        customer: CustomerId,
        /// The most messages shown; if not given 50 in a table, all in JSON.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        limit: Option<u32>,
    },
    /// Delete a message from a customer's page.
    Delete {
        /// Its id.
        id: ActivityId,
    },
}

pub(crate) async fn run(context: &Context, command: Activity) -> Outcome {
    let desk = context.desk(Need::Store).await?;
    let crm = &desk.parts.crm;
    match command {
        Activity::List { customer, limit } => {
            let limit = rows(limit, context);
            let messages = pages::conversation(&desk, customer, limit).await?;
            let shown: Vec<ActivityRow> = messages.iter().map(ActivityRow::new).collect();
            context.output.list(&shown, desk.zone());
        }
        Activity::Delete { id } => {
            let customer = crm.delete_message(&desk.actor, id).await?;
            let sentence = context
                .output
                .texts()
                .fill("activity.deleted", &[("id", &id.to_string())]);
            context.output.said(
                &sentence,
                &json!({"id": id, "customer_id": customer, "deleted": true}),
            );
        }
    }
    DONE
}
