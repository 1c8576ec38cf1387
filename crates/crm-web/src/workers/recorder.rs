//! Turns kept callbacks into messages, as soon as they are kept.

use std::time::{Duration, Instant};

use crm_domain::receipts::ReceiptState;
use crm_domain::use_cases::RecordedCallback;

use super::JOB;
use crate::problem::causes;
use crate::state::App;

/// How many are recorded in one unit of work.
const BATCH: usize = 256;
/// What comes within this time after the first is recorded together: one unit of work for many costs little more.
const GATHER: Duration = Duration::from_millis(15);
/// So many callbacks during one batch mean that they pour in.
const POURING: u64 = 64;
/// The longest pause between batches while they do.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
/// Looks this often even if nobody woke it.
const TICK: Duration = Duration::from_secs(1);
/// The longest rest between tries while the database cannot be used.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// Records until the server stops; what is kept then is recorded at the next start.
pub(super) async fn run(app: App) {
    let mut rest = TICK;
    while !app.stop.is_said() {
        match record_all(&app).await {
            Ok(()) => {
                if rest > TICK {
                    tracing::info!(target: "crm_web::webhook", "callbacks are recorded again");
                }
                rest = TICK;
                tokio::select! {
                    () = app.signals.callbacks() => tokio::time::sleep(GATHER).await,
                    () = tokio::time::sleep(TICK) => {}
                    () = app.stop.said() => {}
                }
            }
            Err(error) => {
                if rest == TICK {
                    tracing::error!(
                        target: "crm_web::webhook",
                        "callbacks are kept but cannot be recorded now, trying again: {}",
                        causes(&error)
                    );
                }
                rest = (rest * 2).min(LONGEST_REST);
                tokio::select! {
                    () = tokio::time::sleep(rest) => {}
                    () = app.stop.said() => {}
                }
            }
        }
    }
}

async fn record_all(app: &App) -> Result<(), crm_domain::error::Error> {
    loop {
        let (begun, kept) = (Instant::now(), app.signals.kept_so_far());
        let recorded = app.crm.record_pending(&JOB, BATCH).await?;
        if !recorded.callbacks.is_empty() {
            app.signals.changed();
        }
        recorded.callbacks.iter().for_each(tell);
        app.signals.files_waiting();
        if !recorded.more || app.stop.is_said() {
            return Ok(());
        }
        if app.signals.kept_so_far() - kept >= POURING {
            // They are answered first: what is kept can wait a little, whoever sends cannot.
            tokio::time::sleep((begun.elapsed() * 3).min(LONGEST_PAUSE)).await;
        }
    }
}

/// One line for each callback (§7.2): numbers and words of ours, the user's id shortened.
fn tell(callback: &RecordedCallback) {
    let user = callback.user.as_deref().unwrap_or("-");
    let reason = callback.reason.as_deref().unwrap_or("-");
    match callback.state {
        ReceiptState::Recorded if callback.customers.is_empty() => {
            tracing::info!(target: "crm_web::webhook", "Event recorded for user {user}");
        }
        ReceiptState::Recorded => {
            for customer in &callback.customers {
                tracing::info!(target: "crm_web::webhook", "Activity recorded for customer {customer}");
            }
        }
        ReceiptState::Unclaimed => {
            tracing::warn!(target: "crm_web::webhook", "No customer has the user id {user}; callback {} is kept", callback.receipt);
        }
        ReceiptState::Ignored if reason == "other_domain" => {
            tracing::warn!(target: "crm_web::webhook", "Callback {} is of another domain than LINE_WORKS_DOMAIN_ID; it is kept", callback.receipt);
        }
        ReceiptState::Ignored => {
            tracing::info!(target: "crm_web::webhook", "Callback {} ignored: {reason}", callback.receipt);
        }
        ReceiptState::Pending | ReceiptState::Uninterpreted => {
            tracing::warn!(target: "crm_web::webhook", "Callback {} not understood, its body is kept: {reason}", callback.receipt);
        }
    }
}
