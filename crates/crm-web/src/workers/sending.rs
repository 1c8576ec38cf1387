//! Sending as a request sees it: queue, wake the sender, wait a bounded time. Dropping the request at any point changes
//! nothing about the message.

use std::time::{Duration, Instant as Moment};

use crm_domain::activities::ActivityId;
use crm_domain::customers::CustomerId;
use crm_domain::error::Error;
use crm_domain::instant::Instant;
use crm_domain::permissions::Actor;
use crm_domain::ports::messenger::SendProblem;
use crm_domain::sends::{SendId, SendState};
use crm_domain::use_cases::{Delivered, Recipient};
use crm_domain::values::MessageText;

use crate::state::App;

/// How long a request waits on once the server stops: less than connections have to end.
const FAREWELL: Duration = Duration::from_secs(6);

/// How long a request waits for the turn of its message.
const TURN: Duration = Duration::from_secs(4);
/// How often a request looks whether another instance delivered its message, should nobody say so.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How far a message got while the request waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Which one.
    pub id: SendId,
    /// How far.
    pub state: SendState,
    /// Why it waits, was not sent or is not sure.
    pub problem: Option<SendProblem>,
    /// When it is tried again, for one that waits after a try in vain.
    pub next_try_at: Option<Instant>,
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
    follow(app, actor, id).await
}

/// As [`send`], in place of the message `replaces` of this customer's page, which failed.
pub async fn resend(
    app: &App,
    actor: &Actor,
    customer: CustomerId,
    text: MessageText,
    key: Option<String>,
    replaces: ActivityId,
) -> Result<Outcome, Error> {
    let queued = app.crm.resend_message(actor, customer, text, key, replaces);
    let id = queued.await?.id();
    follow(app, actor, id).await
}

async fn follow(app: &App, actor: &Actor, id: SendId) -> Result<Outcome, Error> {
    let mut expected = app.signals.outcome_of(id);
    app.signals.message_queued();
    let before = look(app, actor, id).await?;
    if before.state.is_final() || before.next_try_at.is_some() {
        return Ok(before);
    }
    tokio::select! {
        Some(delivered) = expected.wait() => Ok(told(&delivered)),
        found = found_later(app, actor, id) => found,
        () = patience(app) => look(app, actor, id).await,
    }
}

fn told(delivered: &Delivered) -> Outcome {
    Outcome {
        id: delivered.id,
        state: delivered.state,
        problem: delivered.problem,
        next_try_at: delivered.next_try_at,
    }
}

/// What another instance made of the message; or that it waits for its turn so long that nobody should wait with it.
async fn found_later(app: &App, actor: &Actor, id: SendId) -> Result<Outcome, Error> {
    let begun = Moment::now();
    let mut heard = app.signals.hearing();
    loop {
        tokio::select! {
            _ = heard.changed() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let now = match look(app, actor, id).await {
            // The database may be back before anybody loses patience.
            Err(Error::Store(_)) => continue,
            looked => looked?,
        };
        // One that is repeated at once is no outcome yet.
        let waits = now.next_try_at.is_some_and(|at| at > app.crm.now());
        let queued_long = now.state == SendState::Queued && begun.elapsed() >= TURN;
        if now.state.is_final() || waits || queued_long {
            return Ok(now);
        }
    }
}

/// Ends when waiting makes no sense any more; when the server stops, early enough to answer.
async fn patience(app: &App) {
    let stopping = async {
        app.stop.said().await;
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        () = tokio::time::sleep(app.settings.send_wait) => {}
        () = stopping => {}
    }
}

async fn look(app: &App, actor: &Actor, id: SendId) -> Result<Outcome, Error> {
    let send = app.crm.show_send(actor, id).await?;
    let problem = send.reason.as_deref().and_then(SendProblem::from_code);
    Ok(Outcome {
        id,
        state: send.state,
        problem,
        next_try_at: send.next_try_at,
    })
}
