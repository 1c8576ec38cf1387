//! Sends what is queued, from whomever: pages, programs, the command line.

use std::sync::Arc;
use std::time::Duration;

use crm_domain::error::Error;
use crm_domain::sends::{Send, SendState};
use crm_domain::use_cases::Delivered;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::JOB;
use crate::problem::causes;
use crate::state::App;

/// How many messages are on their way at once; the messages of one conversation go one by one.
const AT_ONCE: usize = 4;
/// Looks this often even if nobody woke it: the command line queues in the same store.
const TICK: Duration = Duration::from_secs(1);
/// The longest rest between tries while the database cannot be used.
const LONGEST_REST: Duration = Duration::from_secs(30);
/// How long messages on their way are waited for when the server stops; then the next start calls them 結果不明.
const FAREWELL: Duration = Duration::from_secs(8);

/// Sends until the server stops. Each run has a name of its own, so that what an earlier one left can be told.
pub(super) async fn run(app: App) {
    let run = app.secrets.token();
    abandon(&app, &run).await;
    let mut on_their_way = JoinSet::new();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut rest = TICK;
    while !app.stop.is_said() {
        while on_their_way.try_join_next().is_some() {}
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = app.stop.said() => break,
        };
        let Ok(place) = place else { break };
        match app.crm.claim_message(&JOB, &run).await {
            Ok(Some(send)) => {
                let (app, run) = (app.clone(), run.clone());
                on_their_way.spawn(async move {
                    deliver(&app, &run, &send).await;
                    drop(place);
                    // Another message of this conversation may have waited for this one.
                    app.signals.message_queued();
                });
                continue;
            }
            Ok(None) => rest = TICK,
            Err(error) => {
                if rest == TICK {
                    tracing::error!("messages cannot be sent now, trying again: {}", causes(&error));
                }
                rest = (rest * 2).min(LONGEST_REST);
            }
        }
        drop(place);
        tokio::select! {
            () = app.signals.messages(), if rest == TICK => {}
            () = tokio::time::sleep(rest) => {}
            () = app.stop.said() => {}
        }
    }
    let ending = async { while on_their_way.join_next().await.is_some() {} };
    if tokio::time::timeout(FAREWELL, ending).await.is_err() {
        tracing::warn!("messages were still on their way when the server stopped; their outcome is unknown");
    }
}

/// Messages that an earlier run had on its way may have arrived or not.
async fn abandon(app: &App, run: &str) {
    while !app.stop.is_said() {
        match app.crm.abandon_messages(&JOB, run).await {
            Ok(0) => return,
            Ok(count) => {
                tracing::warn!(
                    "{count} message(s) were on their way when the server ended; their outcome is unknown"
                );
                return;
            }
            Err(error) => {
                tracing::error!("cannot look at messages of earlier runs, trying again: {error}");
                tokio::select! {
                    () = tokio::time::sleep(LONGEST_REST) => {}
                    () = app.stop.said() => {}
                }
            }
        }
    }
}

async fn deliver(app: &App, run: &str, send: &Send) {
    let delivered = app.crm.dispatch_message(send).await;
    tell(&delivered);
    if settle(app, run, send, &delivered).await.is_ok() {
        app.signals.settled(&delivered);
    }
}

/// What became of it must not be lost: tried until it is on disk, or the server stops.
async fn settle(app: &App, run: &str, send: &Send, delivered: &Delivered) -> Result<(), Error> {
    let mut rest = Duration::from_millis(100);
    loop {
        let Err(error) = app.crm.settle_message(&JOB, run, send, delivered).await else {
            return Ok(());
        };
        tracing::error!(
            "the outcome of message {} cannot be stored, trying again: {error}",
            send.id
        );
        if app.stop.is_said() {
            return Err(error);
        }
        tokio::time::sleep(rest).await;
        rest = (rest * 2).min(LONGEST_REST);
    }
}

fn tell(delivered: &Delivered) {
    let id = delivered.id;
    let problem = delivered
        .problem
        .map_or("-", crm_domain::ports::messenger::SendProblem::code);
    match delivered.state {
        SendState::Sent => tracing::info!("message {id} sent"),
        SendState::Unknown => tracing::error!("outcome of message {id} unknown: {problem}"),
        _ => tracing::warn!("message {id} not sent: {problem}"),
    }
}
