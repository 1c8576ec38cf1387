//! Sends what is queued, from whomever: pages, programs, the command line.

use std::sync::Arc;
use std::time::Duration;

use crm_domain::instant::Instant;
use crm_domain::sends::{Send, SendState, Urgency};
use crm_domain::use_cases::{Claim, Delivered};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::JOB;
use crate::problem::causes;
use crate::state::App;

/// How many messages are on their way at once; the messages of one conversation go one by one.
const AT_ONCE: usize = 4;
/// Looks this often even if nobody woke it: the command line queues in the same store.
const TICK: Duration = Duration::from_secs(1);
/// The rest after a first try that failed.
const FIRST_REST: Duration = Duration::from_millis(100);
/// The longest rest between tries while the database cannot be used.
const LONGEST_REST: Duration = Duration::from_secs(30);
/// How often several instances look for messages whose sender died.
const LOOK_AFTER_OTHERS: Duration = Duration::from_secs(5);
/// How long messages on their way are waited for when the server stops; then the next start calls them 結果不明, or another
/// instance when their lease is over.
const FAREWELL: Duration = Duration::from_secs(8);

/// Sends until the server stops. Each run has a name of its own, so that what an earlier one left can be told.
pub(super) async fn run(app: App) {
    let run = app.secrets.token();
    abandon(&app, &run).await;
    tokio::join!(send_all(&app, &run), look_after_others(&app, &run));
}

/// Sends what waits; when the server stops, what has not begun is left to others.
async fn send_all(app: &App, run: &str) {
    let mut on_their_way = JoinSet::new();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut rest = TICK;
    let mut trouble = false;
    while !app.stop.is_said() {
        while on_their_way.try_join_next().is_some() {}
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = app.stop.said() => break,
        };
        let Ok(place) = place else { break };
        // The last place is kept for what people write: programs never make them wait for a slow answer.
        let least = if places.available_permits() == 0 {
            Urgency::Message
        } else {
            Urgency::Bulk
        };
        match app.crm.claim_urgent(&JOB, run, least).await {
            Ok(Claim::Taken(send)) => {
                app.signals.changed();
                trouble = false;
                let (app, run) = (app.clone(), run.to_owned());
                on_their_way.spawn(async move {
                    deliver(&app, &run, &send).await;
                    drop(place);
                    // Another message of this conversation may have waited for this one.
                    app.signals.message_queued();
                });
                continue;
            }
            Ok(Claim::Wait(until)) => (rest, trouble) = (until_then(app, until), false),
            Ok(Claim::Nothing) => (rest, trouble) = (TICK, false),
            Err(error) => {
                if !trouble {
                    tracing::error!("messages cannot be sent now, trying again: {}", causes(&error));
                    rest = TICK;
                }
                rest = (rest * 2).min(LONGEST_REST);
                trouble = true;
            }
        }
        drop(place);
        tokio::select! {
            () = app.signals.messages(), if !trouble => {}
            () = tokio::time::sleep(rest) => {}
            () = app.stop.said() => {}
        }
    }
    let ending = async { while on_their_way.join_next().await.is_some() {} };
    if tokio::time::timeout(FAREWELL, ending).await.is_err() {
        tracing::warn!("messages were still on their way when the server stopped; their outcome is unknown");
    }
}

/// How long until something may leave; never longer than a tick, because clocks are put.
fn until_then(app: &App, until: Instant) -> Duration {
    let left = until.since(app.crm.now());
    let left = Duration::try_from(left).unwrap_or_default();
    left.clamp(Duration::from_millis(1), TICK)
}

/// What a sender had on its way that was killed, or frozen for longer than its lease.
async fn look_after_others(app: &App, run: &str) {
    if !app.crm.has_several_instances() {
        return;
    }
    while !app.stop.is_said() {
        tokio::select! {
            () = tokio::time::sleep(LOOK_AFTER_OTHERS) => abandon(app, run).await,
            () = app.stop.said() => {}
        }
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
                app.signals.changed();
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
    let Some(delivered) = app.crm.dispatch_message(run, send).await else {
        tracing::error!("message {} was taken from its sender; it did not leave", send.id);
        return;
    };
    tell(&delivered);
    app.metrics().delivered(&delivered);
    // Whoever asked hears of a try in vain, but not of one that is repeated at once.
    let soon = app.crm.now();
    let goes_on = delivered.next_try_at.is_some_and(|at| at <= soon);
    settle(app, run, send, &delivered).await;
    if !goes_on {
        app.signals.settled(&delivered);
    }
}

/// What became of it must not be lost: tried until it is stored. When the server stops, that ends with the farewell, and is
/// tried without long rests until then.
async fn settle(app: &App, run: &str, send: &Send, delivered: &Delivered) {
    let mut rest = FIRST_REST;
    while let Err(error) = app.crm.settle_message(&JOB, run, send, delivered).await {
        tracing::error!(
            "the outcome of message {} cannot be stored, trying again: {error}",
            send.id
        );
        if app.stop.is_said() {
            tokio::time::sleep(FIRST_REST).await;
        } else {
            // Waits no longer once the server stops.
            drop(tokio::time::timeout(rest, app.stop.said()).await);
            rest = (rest * 2).min(LONGEST_REST);
        }
    }
}

fn tell(delivered: &Delivered) {
    let id = delivered.id;
    let problem = delivered
        .problem
        .map_or("-", crm_domain::ports::messenger::SendProblem::code);
    match delivered.state {
        SendState::Sent => tracing::info!("message {id} sent"),
        SendState::Queued => tracing::warn!("message {id} not sent, waiting to be tried again: {problem}"),
        SendState::Unknown => tracing::error!("outcome of message {id} unknown: {problem}"),
        _ => tracing::warn!("message {id} not sent: {problem}"),
    }
}
