//! `crm message`.

use std::time::{Duration, Instant};

use crm_compose::{Need, StartError};
use crm_domain::customers::CustomerId;
use crm_domain::error::Error;
use crm_domain::sends::{Send, SendId, SendState};
use crm_domain::use_cases::Recipient;
use crm_domain::values::{FieldError, LineUserId, MessageText, Problem};
use serde_json::json;

use super::secret_input::standard_input;
use super::{DONE, FAILED, Outcome};
use crate::context::{Context, Desk};
use crate::failure::Failure;
use crate::output;

/// How long a running server gets to send a message; its own time-out is 30 seconds.
const WAIT: Duration = Duration::from_secs(40);
/// How often the message's state is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(100);

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Message {
    /// Send a text and wait for the outcome.
    #[command(group = clap::ArgGroup::new("to").required(true).args(["customer", "user_id"]))]
    Send {
        /// To this customer.
        #[arg(long, value_name = "ID")]
        customer: Option<CustomerId>,
        /// To this LINE WORKS user id.
        #[arg(long, value_name = "U")]
        user_id: Option<String>,
        /// The text; from standard input if not given.
        #[arg(long, value_name = "TEXT")]
        message: Option<String>,
    },
}

pub(crate) async fn run(context: &Context, command: Message) -> Outcome {
    let Message::Send {
        customer,
        user_id,
        message,
    } = command;
    let text = match message {
        Some(text) => text,
        None => standard_input()?,
    };
    let text = MessageText::new(&text).map_err(|problem| vec![FieldError::new("message", problem)])?;
    let to = recipient(customer, user_id)?;
    let desk = context.desk(Need::WithPages).await?;
    let queued = desk.parts.crm.queue_message(&desk.actor, to, text, None).await?;
    let sent = deliver(&desk, queued.id()).await?;
    tell(context, &sent)
}

fn recipient(customer: Option<CustomerId>, user_id: Option<String>) -> Result<Recipient, Vec<FieldError>> {
    if let Some(customer) = customer {
        return Ok(Recipient::Customer(customer));
    }
    LineUserId::new(&user_id.unwrap_or_default())
        .and_then(|user| user.ok_or(Problem::Required))
        .map(Recipient::User)
        .map_err(|problem| vec![FieldError::new("user_id", problem)])
}

/// By the running server, or by ourselves while we hold the lock that it would hold.
async fn deliver(desk: &Desk, id: SendId) -> Result<Send, Failure> {
    let until = Instant::now() + WAIT;
    loop {
        let send = desk.parts.crm.show_send(&desk.actor, id).await?;
        let waits = send.next_try_at.is_some_and(|at| at > desk.parts.crm.now());
        if send.state.is_final() || waits || Instant::now() >= until {
            return Ok(send);
        }
        if desk.parts.server_runs().await? {
            tokio::time::sleep(LOOK).await;
            continue;
        }
        match desk.parts.lock_store().await {
            Ok(lock) => {
                send_waiting(desk, id).await?;
                drop(lock);
                tokio::time::sleep(LOOK).await;
            }
            // A server was started this very moment; it sends.
            Err(StartError::Lock(_) | StartError::InUse(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Everything that waits goes out in its order, ours among it.
async fn send_waiting(desk: &Desk, id: SendId) -> Result<(), Error> {
    let crm = &desk.parts.crm;
    let run = desk.parts.secrets.token();
    crm.abandon_messages(&desk.actor, &run).await?;
    while let Some(delivered) = crm.deliver_next(&desk.actor, &run).await? {
        // One that is tried again at once is not through yet.
        let again = delivered.next_try_at.is_some_and(|at| at <= crm.now());
        if delivered.id == id && !again {
            break;
        }
    }
    Ok(())
}

fn tell(context: &Context, send: &Send) -> Outcome {
    let texts = context.output.texts();
    let state = texts.text(&format!("send_state.{}", send.state.code()));
    let reason = send
        .reason
        .as_deref()
        .map(|code| texts.text(&format!("send_problem.{code}")));
    let sentence = match &reason {
        Some(reason) => texts.fill("message.why", &[("state", &state), ("reason", reason)]),
        None => state,
    };
    let json = json!({
        "id": send.id,
        "state": send.state.code(),
        "reason": send.reason,
        "user_id": send.to.address.as_str(),
        "success": send.state == SendState::Sent,
        "message": sentence,
    });
    if send.state == SendState::Sent {
        context.output.said(&sentence, &json);
        return DONE;
    }
    if context.output.is_json() {
        context.output.said(&sentence, &json);
    }
    output::note(&format!(
        "{sentence} [{}]",
        send.reason.as_deref().unwrap_or(send.state.code())
    ));
    FAILED
}
