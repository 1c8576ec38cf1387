//! Fetches what customers sent, as soon as it is recorded: nobody knows how long LINE WORKS keeps it. Where the server is alone
//! on its store, what is being fetched stands nowhere but here, and a crash fetches it again; several instances claim each file
//! by a lease. Its bytes are kept once either way.

use std::collections::HashSet;
use std::time::Duration;

use crm_domain::attachments::{Attachment, AttachmentId, AttachmentOutcome};
use crm_domain::error::Error;
use tokio::task::JoinSet;

use super::JOB;
use crate::problem::causes;
use crate::state::App;

/// How many are fetched at once.
const AT_ONCE: usize = 2;
/// Looks this often even if nobody woke it.
const TICK: Duration = Duration::from_secs(1);
/// The longest rest between tries while the database cannot be used.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// Fetches until the server stops; what is not there then is fetched after the next start.
pub(super) async fn run(app: App) {
    let mut round = Round::default();
    let mut rest = TICK;
    while !app.stop.is_said() {
        match round.begin(&app).await {
            Ok(()) => rest = TICK,
            Err(error) => {
                if rest == TICK {
                    tracing::error!(
                        "received files cannot be fetched now, trying again: {}",
                        causes(&error)
                    );
                }
                rest = (rest * 2).min(LONGEST_REST);
            }
        }
        tokio::select! {
            Some(ended) = round.running.join_next(), if !round.running.is_empty() => {
                if let Ok(id) = ended {
                    round.under_way.remove(&id);
                }
            }
            () = app.signals.files(), if rest == TICK => {}
            () = tokio::time::sleep(rest) => {}
            () = app.stop.said() => {}
        }
    }
}

/// What is under way.
#[derive(Default)]
struct Round {
    running: JoinSet<AttachmentId>,
    under_way: HashSet<AttachmentId>,
}

impl Round {
    /// Begins with those whose time has come, as far as there is room.
    async fn begin(&mut self, app: &App) -> Result<(), Error> {
        if self.running.is_empty() {
            // One whose task panicked is not under way any more.
            self.under_way.clear();
        }
        let room = AT_ONCE.saturating_sub(self.running.len());
        if room == 0 || !app.crm.can_fetch() {
            return Ok(());
        }
        for file in self.due(app, room).await? {
            self.under_way.insert(file.id);
            let app = app.clone();
            self.running.spawn(async move {
                fetch(&app, &file).await;
                file.id
            });
        }
        Ok(())
    }
}

impl Round {
    /// The files whose time has come and that nobody fetches, at most `room`.
    async fn due(&self, app: &App, room: usize) -> Result<Vec<Attachment>, Error> {
        if app.crm.has_several_instances() {
            return app.crm.claim_files(&JOB, room).await;
        }
        let now = app.crm.now();
        let waiting = app.crm.waiting_files(&JOB, AT_ONCE + room).await?;
        let due = waiting
            .into_iter()
            .filter(|file| file.next_try_at.is_some_and(|at| at <= now))
            .filter(|file| !self.under_way.contains(&file.id))
            .take(room);
        Ok(due.collect())
    }
}

async fn fetch(app: &App, file: &Attachment) {
    let id = file.id;
    match app.crm.fetch_file(&JOB, file).await {
        Ok(AttachmentOutcome::Stored { blob, .. }) => {
            tracing::info!("received file {id} kept, {} bytes", blob.size);
        }
        Ok(AttachmentOutcome::Later { at, reason }) => {
            tracing::warn!("received file {id} not fetched: {reason}; tried again at {at}");
        }
        Ok(AttachmentOutcome::Failed { reason } | AttachmentOutcome::Gone { reason }) => {
            tracing::error!("received file {id} not fetched and not tried again: {reason}");
        }
        Err(error) => {
            tracing::error!(
                "what became of received file {id} cannot be stored: {}",
                causes(&error)
            );
            // Not at once again: the database has to come back first.
            tokio::time::sleep(TICK).await;
        }
    }
}
