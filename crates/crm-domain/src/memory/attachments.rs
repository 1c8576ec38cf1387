//! Attachments in memory.

use time::Duration;

use super::leases::{lives, store_now};
use super::state::State;
use super::unit::Unit;
use crate::attachments::{
    Attachment, AttachmentId, AttachmentOutcome, AttachmentQueries, AttachmentRepository, AttachmentState,
    NewAttachment,
};
use crate::customers::CustomerId;
use crate::id::Id;
use crate::instant::Instant;
use crate::ports::store::StoreError;
use crate::receipts::ReceiptId;

fn added(id: i64, new: &NewAttachment, at: Instant) -> Attachment {
    Attachment {
        id: Id::new(id),
        receipt_id: new.receipt_id,
        conversation_id: new.conversation_id,
        bot: new.bot.clone(),
        file_id: new.file_id.clone(),
        kind: new.kind,
        state: AttachmentState::Pending,
        name: new.name.clone(),
        media_type: None,
        blob: None,
        tries: 0,
        next_try_at: Some(at),
        reason: None,
        added_at: at,
    }
}

fn settle(attachment: &mut Attachment, outcome: &AttachmentOutcome) {
    let ended = |attachment: &mut Attachment, state, reason: Option<&str>| {
        attachment.state = state;
        attachment.next_try_at = None;
        attachment.reason = reason.map(str::to_owned);
    };
    match outcome {
        AttachmentOutcome::Stored {
            blob,
            name,
            media_type,
        } => {
            ended(attachment, AttachmentState::Stored, None);
            attachment.blob = Some(*blob);
            attachment.media_type.clone_from(media_type);
            if name.is_some() {
                attachment.name.clone_from(name);
            }
        }
        AttachmentOutcome::Later { at, reason } => {
            attachment.tries += 1;
            attachment.next_try_at = Some(*at);
            attachment.reason = Some((*reason).to_owned());
        }
        AttachmentOutcome::Failed { reason } => ended(attachment, AttachmentState::Failed, Some(reason)),
        AttachmentOutcome::Gone { reason } => ended(attachment, AttachmentState::Gone, Some(reason)),
    }
}

fn is_missing(attachment: &Attachment) -> bool {
    matches!(attachment.state, AttachmentState::Failed | AttachmentState::Gone)
}

impl State {
    /// The one that came with this callback.
    pub(super) fn attachment_of(&self, receipt: ReceiptId) -> Option<Attachment> {
        let mut all = self.attachments.iter().map(|(_, attachment)| attachment);
        all.find(|attachment| attachment.receipt_id == receipt).cloned()
    }
}

impl AttachmentQueries for Unit {
    fn attachment(&mut self, id: AttachmentId) -> Result<Option<Attachment>, StoreError> {
        self.look(|state| state.attachments.get(id.get()).cloned())
    }

    fn attachments_of_receipts(&mut self, receipts: &[ReceiptId]) -> Result<Vec<Attachment>, StoreError> {
        self.look(|state| {
            let all = state.attachments.iter().map(|(_, attachment)| attachment);
            all.filter(|attachment| receipts.contains(&attachment.receipt_id))
                .cloned()
                .collect()
        })
    }

    fn customers_shown(&mut self, receipt: ReceiptId) -> Result<Vec<CustomerId>, StoreError> {
        self.look(|state| state.customers_of_receipt(receipt))
    }

    fn waiting_attachments(&mut self, limit: usize) -> Result<Vec<Attachment>, StoreError> {
        self.look(|state| {
            let all = state.attachments.iter().map(|(_, attachment)| attachment);
            let mut waiting: Vec<_> = all
                .filter(|attachment| attachment.next_try_at.is_some())
                .cloned()
                .collect();
            waiting.sort_by_key(|attachment| (attachment.next_try_at, attachment.id));
            waiting.truncate(limit);
            waiting
        })
    }

    fn missing_attachments(&mut self) -> Result<usize, StoreError> {
        self.look(|state| {
            let all = state.attachments.iter();
            all.filter(|(_, attachment)| is_missing(attachment)).count()
        })
    }
}

impl AttachmentRepository for Unit {
    fn claim_attachments(
        &mut self,
        limit: usize,
        at: Instant,
        lasts: Duration,
    ) -> Result<Vec<Attachment>, StoreError> {
        self.change(|state| {
            let taken = |id: AttachmentId| {
                let mut leases = state.file_leases.iter().map(|(_, lease)| lease);
                leases.any(|(file, until)| *file == id && lives(Some(*until)))
            };
            let all = state.attachments.iter().map(|(_, attachment)| attachment);
            let mut due: Vec<Attachment> = all
                .filter(|file| file.next_try_at.is_some_and(|next| next <= at) && !taken(file.id))
                .cloned()
                .collect();
            due.sort_by_key(|file| (file.next_try_at, file.id));
            due.truncate(limit);
            let until = store_now().plus(lasts);
            for file in &due {
                state.file_leases.retain(|(leased, _)| *leased != file.id);
                state.file_leases.insert(|_| (file.id, until));
            }
            Ok(due)
        })
    }

    fn add_attachments(&mut self, attachments: &[NewAttachment], at: Instant) -> Result<(), StoreError> {
        self.change(|state| {
            for new in attachments {
                let same = |(_, attachment): (i64, &Attachment)| attachment.receipt_id == new.receipt_id;
                if !state.attachments.iter().any(same) {
                    state.attachments.insert(|id| added(id, new, at));
                }
            }
            Ok(())
        })
    }

    fn settle_attachment(
        &mut self,
        id: AttachmentId,
        outcome: &AttachmentOutcome,
    ) -> Result<bool, StoreError> {
        self.change(|state| {
            let found = state.attachments.get_mut(id.get());
            let pending = found.filter(|attachment| attachment.state == AttachmentState::Pending);
            let settled = pending.map(|attachment| settle(attachment, outcome)).is_some();
            state.file_leases.retain(|(leased, _)| *leased != id);
            Ok(settled)
        })
    }

    fn reopen_attachment(&mut self, id: AttachmentId, at: Instant) -> Result<bool, StoreError> {
        self.change(|state| {
            let found = state.attachments.get_mut(id.get());
            let missing = found.filter(|attachment| is_missing(attachment));
            Ok(missing
                .map(|attachment| {
                    attachment.state = AttachmentState::Pending;
                    attachment.tries = 0;
                    attachment.next_try_at = Some(at);
                    attachment.reason = None;
                })
                .is_some())
        })
    }
}
