//! Attachments: fetched in the background, never within a unit of work, and shown to whoever may see the conversations.

use std::io;
use std::sync::Arc;

use super::Crm;
use crate::attachments::{Attachment, AttachmentId, AttachmentOutcome, next_wait};
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::files::{FetchError, FetchProblem, FetchedFile};
use crate::ports::store::{StoreError, StoreExt as _, UnitOfWork};

impl Crm {
    /// Whether files can be fetched at all: a bot is set up.
    pub fn can_fetch(&self) -> bool {
        self.ports.files.is_set_up()
    }

    /// The attachments that wait to be fetched, the one whose turn is next first, at most `limit`; those whose time has not
    /// come too.
    pub async fn waiting_files(&self, actor: &Actor, limit: usize) -> Result<Vec<Attachment>, Error> {
        actor.may(Action::RecordCallbacks)?;
        let read = self
            .ports
            .store
            .read(move |unit| unit.attachments().waiting_attachments(limit));
        Ok(read.await?)
    }

    /// Fetches one and notes what became of it. Fetching twice keeps the bytes once, so a crash at any point costs nothing.
    pub async fn fetch_file(
        &self,
        actor: &Actor,
        attachment: &Attachment,
    ) -> Result<AttachmentOutcome, Error> {
        actor.may(Action::RecordCallbacks)?;
        let blobs = Arc::clone(&self.ports.blobs);
        let fetched = self
            .ports
            .files
            .fetch(&attachment.bot, &attachment.file_id, blobs);
        let outcome = match fetched.await {
            Ok(FetchedFile {
                blob,
                name,
                media_type,
            }) => AttachmentOutcome::Stored {
                blob,
                name,
                media_type,
            },
            Err(error) => in_vain(attachment, error, self.now()),
        };
        let (attachment, noted, at) = (attachment.clone(), outcome.clone(), self.now());
        // Its condition makes it safe to repeat.
        self.change_again(move |uow| {
            if uow.edit_attachments().settle_attachment(attachment.id, &noted)? {
                tell(uow, &attachment, at)?;
            }
            Ok(())
        })
        .await?;
        Ok(outcome)
    }

    /// An attachment.
    pub async fn show_file(&self, actor: &Actor, id: AttachmentId) -> Result<Attachment, Error> {
        actor.may(Action::ViewRecords)?;
        let found = self
            .ports
            .store
            .read(move |unit| unit.attachments().attachment(id));
        found.await?.ok_or(Error::NotFound("file"))
    }

    /// The bytes of an attachment that is stored; reading them blocks on the disk, and so does this.
    pub fn open_file(
        &self,
        actor: &Actor,
        attachment: &Attachment,
    ) -> Result<Box<dyn io::Read + Send>, Error> {
        actor.may(Action::ViewRecords)?;
        let blob = attachment.blob.ok_or(Error::NotFound("file"))?;
        let opened = self.ports.blobs.open(&blob.hash);
        let found = opened.map_err(|error| Error::Store(StoreError::unavailable(error)))?;
        found.ok_or(Error::NotFound("file"))
    }

    /// 「もう一度取得する」: has one that could not be fetched fetched again. One that is being fetched or is there stays so.
    pub async fn retry_file(&self, actor: &Actor, id: AttachmentId) -> Result<(), Error> {
        self.change(actor, Action::EditRecords, move |uow, at| {
            let found = uow.attachments().attachment(id)?;
            let attachment = found.ok_or(Error::NotFound("file"))?;
            if uow.edit_attachments().reopen_attachment(id, at)? {
                tell(uow, &attachment, at)?;
            }
            Ok(())
        })
        .await
    }
}

/// Whoever has the conversation open learns that the message shows something else now.
fn tell(uow: &mut dyn UnitOfWork, attachment: &Attachment, at: Instant) -> Result<(), StoreError> {
    let changed = NewEvent::new(EventKind::Message, at).conversation(attachment.conversation_id);
    let customers = uow.attachments().customers_shown(attachment.receipt_id)?;
    let mut events: Vec<NewEvent> = customers
        .into_iter()
        .map(|customer| changed.customer(customer))
        .collect();
    if events.is_empty() {
        events.push(changed);
    }
    uow.edit_events().add_events(&events)
}

/// What a problem means for an attachment that was tried so often.
fn in_vain(attachment: &Attachment, error: FetchError, now: Instant) -> AttachmentOutcome {
    let reason = error.problem.code();
    if error.problem == FetchProblem::Gone {
        return AttachmentOutcome::Gone { reason };
    }
    match next_wait(attachment.tries) {
        Some(wait) if error.problem.passes() => {
            let asked = time::Duration::seconds(i64::from(error.wait.unwrap_or_default()));
            AttachmentOutcome::Later {
                at: now.plus(wait.max(asked)),
                reason,
            }
        }
        _ => AttachmentOutcome::Failed { reason },
    }
}
