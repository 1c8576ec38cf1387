//! Turns kept callbacks into messages, as soon as they are kept.

use std::time::{Duration, Instant};

use crm_domain::receipts::ReceiptState;
use crm_domain::use_cases::RecordedCallback;

use super::JOB;
use crate::i18n::catalogue;
use crate::problem::causes;
use crate::state::App;

/// How many are recorded in one unit of work.
const BATCH: usize = 256;
/// What comes within this time after the first is recorded together: one unit of work for many costs little more.
const GATHER: Duration = Duration::from_millis(15);
/// When more callbacks than these wait for their answer, they go before the next batch.
const FEW: usize = 8;
/// The longest pause between batches for their sake.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
/// How often they are looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// So many looks in a row have to find few: whoever was answered a moment ago asks again at once.
const CALM: u32 = 2;
/// Looks this often even if nobody woke it.
const TICK: Duration = Duration::from_secs(1);
/// The longest rest between tries while the database cannot be used.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// Records until the server stops; what is kept then is recorded at the next start.
pub(super) async fn run(app: App) {
    let mut rest = TICK;
    let mut senders_well = true;
    while !app.stop.is_said() {
        match record_all(&app).await {
            Ok(()) => {
                look_after_senders(&app, &mut senders_well).await;
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
                    // One was kept: the database is back.
                    () = app.signals.callbacks() => tokio::time::sleep(LONGEST_PAUSE).await,
                    () = app.stop.said() => {}
                }
            }
        }
    }
}

async fn record_all(app: &App) -> Result<(), crm_domain::error::Error> {
    loop {
        let begun = Instant::now();
        let recorded = app.crm.record_pending(&JOB, BATCH).await?;
        if !recorded.callbacks.is_empty() {
            app.signals.changed();
        }
        for callback in &recorded.callbacks {
            tell(callback);
            app.metrics().recorded(callback);
        }
        app.signals.files_waiting();
        if !recorded.more || app.stop.is_said() {
            return Ok(());
        }
        give_way(app, begun.elapsed()).await;
    }
}

/// Callbacks that wait for their answer go first: what is kept can wait a little, whoever sends cannot. While they never end
/// they have three quarters of the writer.
async fn give_way(app: &App, worked: Duration) {
    let (begun, longest) = (Instant::now(), (worked * 3).min(LONGEST_PAUSE));
    let mut calm = 0;
    while calm < CALM && begun.elapsed() < longest {
        tokio::time::sleep(LOOK_EVERY).await;
        calm = if app.signals.unanswered() > FEW {
            0
        } else {
            calm + 1
        };
    }
}

/// Shows what was begun and broken off, and registers senders if the settings say so. What fails is tried again at the next
/// look, and said once.
async fn look_after_senders(app: &App, well: &mut bool) {
    match claim_and_register(app).await {
        Ok(()) => *well = true,
        Err(error) if *well => {
            *well = false;
            tracing::error!(
                target: "crm_web::webhook",
                "earlier messages of new customers cannot be shown now, trying again: {}",
                causes(&error)
            );
        }
        Err(_) => {}
    }
}

async fn claim_and_register(app: &App) -> Result<(), crm_domain::error::Error> {
    let claimed = app.crm.claim_conversations(&JOB).await?;
    let mut made = 0;
    if app.settings.register_senders {
        let nameless = catalogue(app.language()).text("senders.nameless", &[]);
        made = app.crm.register_unknown_senders(&JOB, &nameless).await?;
    }
    if made > 0 {
        tracing::info!(target: "crm_web::webhook", "{made} unknown sender(s) registered as customers");
    }
    if claimed + made > 0 {
        app.signals.changed();
    }
    Ok(())
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
