//! Attachments: fetched in the background, never within a unit of work, and shown to whoever may see the conversations.

use std::io;
use std::sync::Arc;

use time::Duration;

use super::Crm;
use super::data_keys::of_blob;
use super::sight::Reader;
use crate::attachments::{Attachment, AttachmentId, AttachmentOutcome, next_wait};
use crate::audit::{Act, Deed, Did};
use crate::customers::CustomerId;
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::files::{FetchError, FetchProblem, FetchedFile};
use crate::ports::store::{ReadUnit, StoreError, StoreExt as _, UnitOfWork};
use crate::teams::Visible;

/// How long an instance may fetch a file: a little longer than a download may take.
const FETCH_LEASE: Duration = Duration::minutes(11);

impl Crm {
    /// Whether files can be fetched at all: a bot is set up.
    pub fn can_fetch(&self) -> bool {
        self.ports.files.is_set_up()
    }

    /// The attachments that wait to be fetched, the one whose turn is next first, at most `limit`; those whose time has not
    /// come too. None while work rests after a restore.
    pub async fn waiting_files(&self, actor: &Actor, limit: usize) -> Result<Vec<Attachment>, Error> {
        self.may(actor, Action::RecordCallbacks)?;
        let read = self.ports.store.read(move |unit| {
            if unit.backups().pause()?.is_some() {
                return Ok(Vec::new());
            }
            unit.attachments().waiting_attachments(limit)
        });
        Ok(read.await?)
    }

    /// Takes attachments whose time has come, at most `limit`, so that no other instance fetches them meanwhile.
    pub async fn claim_files(&self, actor: &Actor, limit: usize) -> Result<Vec<Attachment>, Error> {
        self.may(actor, Action::RecordCallbacks)?;
        let at = self.now();
        let is_due = |file: &Attachment| file.next_try_at.is_some_and(|next| next <= at);
        if !self.waiting_files(actor, 1).await?.iter().any(is_due) {
            return Ok(Vec::new());
        }
        self.change_again(move |uow| Ok(uow.edit_attachments().claim_attachments(limit, at, FETCH_LEASE)?))
            .await
    }

    /// Fetches one and notes what became of it. Fetching twice keeps the bytes once, so a crash at any point costs nothing.
    pub async fn fetch_file(
        &self,
        actor: &Actor,
        attachment: &Attachment,
    ) -> Result<AttachmentOutcome, Error> {
        self.may(actor, Action::RecordCallbacks)?;
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
            } else if let AttachmentOutcome::Stored { blob, .. } = &noted {
                // Its message was deleted for good meanwhile.
                uow.edit_erasures().abandon_blob(&blob.hash)?;
            }
            Ok(())
        })
        .await?;
        Ok(outcome)
    }

    /// An attachment.
    pub async fn show_file(&self, actor: &Actor, id: AttachmentId) -> Result<Attachment, Error> {
        self.may(actor, Action::ViewRecords)?;
        let reader = Reader::of(actor);
        self.ports
            .store
            .read(move |unit| in_sight(unit, id, reader))
            .await
    }

    /// On whose page an attachment stands; the oldest of them, if there are several.
    pub async fn customer_of_file(
        &self,
        actor: &Actor,
        id: AttachmentId,
    ) -> Result<Option<CustomerId>, Error> {
        self.may(actor, Action::ViewRecords)?;
        let reader = Reader::of(actor);
        let read = move |unit: &mut dyn ReadUnit| {
            let file = in_sight(unit, id, reader)?;
            let customers = unit.attachments().customers_shown(file.receipt_id)?;
            Ok(customers.into_iter().min())
        };
        self.ports.store.read(read).await
    }

    /// The bytes of an attachment that is stored; reading them blocks on the disk, and so does this.
    pub fn open_file(
        &self,
        actor: &Actor,
        attachment: &Attachment,
    ) -> Result<Box<dyn io::Read + Send>, Error> {
        self.may(actor, Action::ViewRecords)?;
        let blob = attachment.blob.ok_or(Error::NotFound("file"))?;
        let opened = self.ports.blobs.open(&blob.hash);
        let found = opened.map_err(of_blob)?;
        found.ok_or(Error::NotFound("file"))
    }

    /// 「もう一度取得する」: has one that could not be fetched fetched again. One that is being fetched or is there stays so.
    pub async fn retry_file(&self, actor: &Actor, id: AttachmentId) -> Result<(), Error> {
        let reader = Reader::of(actor);
        self.act(actor, Action::EditRecords, move |uow, at| {
            let attachment = in_sight(uow, id, reader)?;
            if uow.edit_attachments().reopen_attachment(id, at)? {
                tell(uow, &attachment, at)?;
                return Ok(Deed::on(Act::FileRetried, id).gives(()));
            }
            Ok(Did::nothing(()))
        })
        .await
    }
}

/// An attachment of a conversation, or on the page of a customer, that they see.
fn in_sight<U: ReadUnit + ?Sized>(
    unit: &mut U,
    id: AttachmentId,
    reader: Reader,
) -> Result<Attachment, Error> {
    let found = unit.attachments().attachment(id)?;
    let attachment = found.ok_or(Error::NotFound("file"))?;
    let visible = reader.visible(unit)?;
    if visible == Visible::All {
        return Ok(attachment);
    }
    let customers = unit.attachments().customers_shown(attachment.receipt_id)?;
    let nobodys = customers.is_empty();
    for customer in customers {
        if unit.customers().customer(customer, &visible)?.is_some() {
            return Ok(attachment);
        }
    }
    let talk = attachment.conversation_id.filter(|_| nobodys);
    let seen = talk.is_some_and(|talk| reader.talk(unit, talk).is_ok());
    seen.then_some(attachment).ok_or(Error::NotFound("file"))
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
