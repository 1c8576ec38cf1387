//! Sending as a request sees it: queue, wake the sender, wait a bounded time. Dropping the request at any point changes
//! nothing about the message.

use crm_domain::error::Error;
use crm_domain::permissions::Actor;
use crm_domain::ports::messenger::SendProblem;
use crm_domain::sends::{SendId, SendState};
use crm_domain::use_cases::Recipient;
use crm_domain::values::MessageText;

use crate::state::App;

/// How far a message got while the request waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Which one.
    pub id: SendId,
    /// How far.
    pub state: SendState,
    /// Why it was not sent or is not sure.
    pub problem: Option<SendProblem>,
}

/// Queues a message and waits for what becomes of it. The same `key` of the same author sends once; asking again answers
/// what became of the first.
pub async fn send(
    app: &App,
    actor: &Actor,
    to: Recipient,
    text: MessageText,
    key: Option<String>,
) -> Result<Outcome, Error> {
    let id = app.crm.queue_message(actor, to, text, key).await?.id();
    let mut expected = app.signals.outcome_of(id);
    app.signals.message_queued();
    let before = look(app, actor, id).await?;
    if before.state.is_final() {
        return Ok(before);
    }
    match tokio::time::timeout(app.settings.send_wait, expected.wait()).await {
        Ok(Some(delivered)) => Ok(Outcome {
            id,
            state: delivered.state,
            problem: delivered.problem,
        }),
        _ => look(app, actor, id).await,
    }
}

async fn look(app: &App, actor: &Actor, id: SendId) -> Result<Outcome, Error> {
    let send = app.crm.show_send(actor, id).await?;
    let problem = send.reason.as_deref().and_then(SendProblem::from_code);
    Ok(Outcome {
        id,
        state: send.state,
        problem,
    })
}
