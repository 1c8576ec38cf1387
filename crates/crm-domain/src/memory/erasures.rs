//! Erasures in memory.

use std::collections::BTreeSet;

use super::state::State;
use super::unit::Unit;
use crate::activities::NewActivity;
use crate::conversations::{Conversation, ConversationId, ConversationKind, LinkState};
use crate::customers::CustomerId;
use crate::erasures::{
    Erasure, ErasureId, ErasureQueries, ErasureRepository, ErasureState, NewErasure, Subject, Talk,
};
use crate::id::Id;
use crate::imports::ImportedKind;
use crate::instant::Instant;
use crate::ports::blobs::BlobHash;
use crate::ports::erased::Erased;
use crate::ports::store::StoreError;
use crate::receipts::{ReceiptId, ReceiptOutcome, ReceiptState};
use crate::standings::Standing;
use crate::tally::{DataKind, Tally};
use crate::values::LineUserId;

/// When a conversation was opened.
#[derive(Debug, Clone)]
pub(super) struct Opening {
    pub(super) talk: ConversationId,
    pub(super) at: Instant,
}

/// A conversation that goes with an erasure.
#[derive(Debug, Clone)]
pub(super) struct ErasureTalk {
    erasure: ErasureId,
    talk: Talk,
}

fn parts<T: Ord + Copy>(rows: &[NewActivity], part: fn(&NewActivity) -> Option<T>) -> Vec<T> {
    rows.iter()
        .filter_map(part)
        .collect::<BTreeSet<T>>()
        .into_iter()
        .collect()
}

impl State {
    fn is_on_a_page(&self, is_meant: impl Fn(&NewActivity) -> bool) -> bool {
        self.activities.iter().any(|(_, row)| is_meant(&row.stored))
    }

    /// Deletes these messages with what only they refer to.
    pub(super) fn forget_activities(&mut self, ids: &[i64], at: Instant) -> (Tally, Vec<ConversationId>) {
        let rows: Vec<NewActivity> = ids
            .iter()
            .filter_map(|id| Some(self.activities.get(*id)?.stored.clone()))
            .collect();
        let mut tally = self.forget_origins(ImportedKind::Activity, ids);
        tally.add(DataKind::Activities, rows.len());
        self.activities.retain_rows(|id, _| !ids.contains(&id));
        let mut receipts = parts(&rows, |row| row.receipt_id);
        receipts.retain(|id| !self.is_on_a_page(|row| row.receipt_id == Some(*id)));
        tally.merge(&self.forget_receipts(&receipts, at));
        let mut sends = parts(&rows, |row| row.send_id);
        sends.retain(|id| !self.is_on_a_page(|row| row.send_id == Some(*id)));
        let before = self.sends.iter().count();
        self.departures.retain(|row| !sends.contains(&row.send));
        self.sends.retain(|row| !sends.contains(&row.send.id));
        tally.add(DataKind::Sends, before - self.sends.iter().count());
        let mut notes = parts(&rows, |row| row.note_id);
        notes.retain(|id| !self.is_on_a_page(|row| row.note_id == Some(*id)));
        let before = self.notes.iter().count();
        self.notes
            .retain_rows(|id, _| !notes.iter().any(|note| note.get() == id));
        tally.add(DataKind::Notes, before - self.notes.iter().count());
        (tally, parts(&rows, |row| row.conversation_id))
    }

    fn forget_origins(&mut self, kind: ImportedKind, ids: &[i64]) -> Tally {
        let before = self.origins.iter().count();
        self.origins
            .retain(|row| row.origin.kind != kind || !ids.contains(&row.became));
        Tally::of(DataKind::Origins, before - self.origins.iter().count())
    }

    fn forget_receipts(&mut self, ids: &[ReceiptId], at: Instant) -> Tally {
        let mut tally = Tally::default();
        let files = self.attachments.iter().map(|(_, file)| file);
        let files: Vec<_> = files
            .filter(|file| ids.contains(&file.receipt_id))
            .cloned()
            .collect();
        for hash in files.iter().filter_map(|file| Some(file.blob?.hash)) {
            if !self.abandoned.iter().any(|(_, other)| *other == hash) {
                self.abandoned.insert(|_| hash);
            }
        }
        tally.add(DataKind::Files, files.len());
        self.attachments.retain(|file| !ids.contains(&file.receipt_id));
        for id in ids {
            let Some(row) = self.receipts.get_mut(id.get()) else {
                continue;
            };
            tally.add(DataKind::Bodies, usize::from(!row.kept.body.is_empty()));
            row.kept.body.clear();
            let state = row.outcome.as_ref().map(|outcome| outcome.state);
            if !matches!(state, Some(ReceiptState::Recorded | ReceiptState::Ignored)) {
                row.settled_at = Some(at);
                row.outcome = Some(ReceiptOutcome {
                    id: *id,
                    state: ReceiptState::Ignored,
                    conversation_id: row.outcome.as_ref().and_then(|outcome| outcome.conversation_id),
                    reason: Some("erased".to_owned()),
                });
            }
        }
        tally
    }

    fn own_talks(&self, id: CustomerId, address: Option<&LineUserId>) -> Vec<Talk> {
        let talks = self.conversations.iter().map(|(_, talk)| talk);
        let mine = talks.filter(|talk| {
            let shown =
                self.is_on_a_page(|row| row.customer_id == id && row.conversation_id == Some(talk.id));
            talk.key.kind == ConversationKind::Person && (shown || Some(&talk.key.address) == address)
        });
        let alone = mine.filter(|talk| {
            let carried = self.customers.iter().any(|(_, row)| {
                row.customer.id != id && row.customer.details.line_user_id.as_ref() == Some(&talk.key.address)
            });
            !carried
                && !self.is_on_a_page(|row| row.customer_id != id && row.conversation_id == Some(talk.id))
        });
        alone.map(|talk| (talk.id, talk.key.address.clone())).collect()
    }

    fn callbacks_of(&self, talk: ConversationId) -> Vec<ReceiptId> {
        let waiting = self.receipts.iter().filter(|(_, row)| {
            row.outcome.as_ref().is_some_and(|outcome| {
                outcome.state == ReceiptState::Unclaimed && outcome.conversation_id == Some(talk)
            })
        });
        let with_files = self.attachments.iter().map(|(_, file)| file);
        let with_files = with_files.filter(|file| file.conversation_id == Some(talk));
        waiting
            .map(|(id, _)| ReceiptId::new(id))
            .chain(with_files.map(|file| file.receipt_id))
            .collect()
    }

    fn erase_talk(&mut self, talk: ConversationId, limit: usize, at: Instant) -> Tally {
        let shown = self.activities.iter();
        let shown = shown.filter(|(_, row)| row.stored.conversation_id == Some(talk));
        let shown: Vec<i64> = shown.map(|(id, _)| id).take(limit).collect();
        if !shown.is_empty() {
            return self.forget_activities(&shown, at).0;
        }
        let callbacks = self.callbacks_of(talk);
        if !callbacks.is_empty() {
            return self.forget_receipts(&callbacks, at);
        }
        let mut tally = Tally::default();
        let ours = self.sends.iter().map(|(_, row)| &row.send);
        let ours: Vec<_> = ours.filter(|send| send.conversation_id == talk).collect();
        let ours: Vec<_> = ours.into_iter().map(|send| send.id).collect();
        self.departures.retain(|row| !ours.contains(&row.send));
        self.sends.retain(|row| !ours.contains(&row.send.id));
        tally.add(DataKind::Sends, ours.len());
        let before = (self.notes.iter().count(), self.drafts.iter().count());
        self.notes.retain(|row| row.stored.conversation_id != Some(talk));
        self.drafts.retain(|row| row.conversation != talk);
        self.reads.retain(|row| row.conversation != talk);
        tally.add(DataKind::Notes, before.0 - self.notes.iter().count());
        tally.add(DataKind::Drafts, before.1 - self.drafts.iter().count());
        tally
    }

    fn forget_talk(&mut self, (talk, address): &Talk) -> Tally {
        self.forget_answers_of(*talk);
        self.waitings
            .retain(|row| row.conversation_id != *talk || row.ended.is_some());
        let before = self.senders.iter().count();
        self.senders.retain(|row| row.address != *address);
        let mut tally = Tally::of(DataKind::Senders, before - self.senders.iter().count());
        let erased = LineUserId::new(&format!("erased-{talk}")).ok().flatten();
        if let Some(row) = self.conversations.get_mut(talk.get())
            && let Some(erased) = erased
        {
            tally.add(DataKind::Conversations, usize::from(row.key.address == *address));
            row.key.address = erased;
            row.link = LinkState::Unconfirmed;
            row.link_at = Conversation::no_event();
            row.claim_due = false;
            row.standing = Standing {
                version: row.standing.version + 1,
                ..Standing::default()
            };
        }
        tally
    }

    fn erase_customer(&mut self, id: CustomerId) -> Tally {
        let mut tally = self.forget_origins(ImportedKind::Customer, &[id.get()]);
        let shown: Vec<i64> = self
            .activities
            .iter()
            .filter_map(|(_, row)| row.stored.note_id.map(Id::get))
            .collect();
        let before = self.notes.iter().count();
        self.notes
            .retain_rows(|number, row| row.stored.customer_id != Some(id) || shown.contains(&number));
        tally.add(DataKind::Notes, before - self.notes.iter().count());
        for note in self.notes.iter_mut() {
            note.stored.customer_id = note.stored.customer_id.filter(|other| *other != id);
        }
        self.holds.retain(|row| row.hold.customer_id != Some(id));
        self.forget_answers_about(id);
        for talk in self.conversations.iter_mut() {
            let standing = &mut talk.standing;
            standing.customer_id = standing.customer_id.filter(|other| *other != id);
        }
        let known = self.customers.get(id.get()).is_some();
        self.customers.retain_rows(|number, _| number != id.get());
        tally.add(DataKind::Customers, usize::from(known));
        tally
    }
}

impl ErasureQueries for Unit {
    fn erasure(&mut self, id: ErasureId) -> Result<Option<Erasure>, StoreError> {
        self.look(|state| state.erasures.get(id.get()).cloned())
    }

    fn erasures(&mut self, limit: usize) -> Result<Vec<Erasure>, StoreError> {
        self.look(|state| {
            let newest = state.erasures.iter().rev().map(|(_, row)| row.clone());
            newest.take(limit).collect()
        })
    }

    fn listed_erased(&mut self) -> Result<Vec<Erased>, StoreError> {
        self.look(|state| state.erased.clone())
    }

    fn open_erasures(&mut self) -> Result<Vec<Erasure>, StoreError> {
        self.look(|state| {
            let all = state.erasures.iter().map(|(_, row)| row);
            all.filter(|row| row.customer_id.is_some()).cloned().collect()
        })
    }

    fn erasure_talks(&mut self, id: ErasureId) -> Result<Vec<Talk>, StoreError> {
        self.look(|state| {
            let all = state.erasure_talks.iter().map(|(_, row)| row);
            all.filter(|row| row.erasure == id)
                .map(|row| row.talk.clone())
                .collect()
        })
    }

    fn subject(&mut self, customer: CustomerId) -> Result<Option<Subject>, StoreError> {
        self.look(|state| {
            let row = state.customers.get(customer.get())?;
            let address = row.customer.details.line_user_id.clone();
            Some(Subject {
                customer,
                talks: state.own_talks(customer, address.as_ref()),
                address,
                created_at: row.customer.created_at,
            })
        })
    }

    fn talks_after(
        &mut self,
        after: ConversationId,
        limit: usize,
    ) -> Result<Vec<(Talk, Instant, Option<CustomerId>)>, StoreError> {
        self.look(|state| {
            let talks = state.conversations.iter_after(after.get()).map(|(_, talk)| talk);
            let people = talks.filter(|talk| talk.key.kind == ConversationKind::Person);
            let told = people.map(|talk| {
                let mut openings = state.openings.iter().map(|(_, opening)| opening);
                let at = openings.find(|opening| opening.talk == talk.id);
                (
                    (talk.id, talk.key.address.clone()),
                    at.map_or(Conversation::no_event(), |opening| opening.at),
                    talk.standing.customer_id,
                )
            });
            told.take(limit).collect()
        })
    }

    fn bodies_after(
        &mut self,
        after: ReceiptId,
        limit: usize,
    ) -> Result<Vec<(ReceiptId, Vec<u8>)>, StoreError> {
        self.look(|state| {
            let rows = state.receipts.iter_after(after.get());
            let full = rows.filter(|(_, row)| !row.kept.body.is_empty());
            full.take(limit)
                .map(|(id, row)| (ReceiptId::new(id), row.kept.body.clone()))
                .collect()
        })
    }

    fn abandoned_blobs(&mut self, limit: usize) -> Result<Vec<BlobHash>, StoreError> {
        self.look(|state| {
            let mut all: Vec<BlobHash> = state.abandoned.iter().map(|(_, hash)| *hash).collect();
            all.sort_unstable();
            all.truncate(limit);
            all
        })
    }

    fn is_blob_named(&mut self, hash: &BlobHash) -> Result<bool, StoreError> {
        self.look(|state| {
            let mut files = state.attachments.iter().map(|(_, file)| file);
            files.any(|file| file.blob.is_some_and(|blob| blob.hash == *hash))
        })
    }
}

impl ErasureRepository for Unit {
    fn begin_erasure(&mut self, new: &NewErasure, talks: &[Talk]) -> Result<ErasureId, StoreError> {
        self.change(|state| {
            let id = state.erasures.insert(|id| Erasure {
                id: ErasureId::new(id),
                customer_id: (new.state != ErasureState::Held).then_some(new.customer_id),
                subject: new.subject.clone(),
                cause: new.cause,
                state: new.state,
                requested_at: new.requested_at,
                requested_by: new.requested_by.name.clone(),
                finished_at: None,
                tally: Tally::default(),
            });
            let erasure = ErasureId::new(id);
            for talk in talks.iter().cloned() {
                state.erasure_talks.insert(|_| ErasureTalk { erasure, talk });
            }
            Ok(erasure)
        })
    }

    fn count_erased(&mut self, id: ErasureId, more: &Tally) -> Result<(), StoreError> {
        self.change(|state| {
            if let Some(row) = state.erasures.get_mut(id.get()) {
                row.tally.merge(more);
            }
            Ok(())
        })
    }

    fn settle_erasure(&mut self, id: ErasureId, to: ErasureState, at: Instant) -> Result<bool, StoreError> {
        self.change(|state| {
            let row = state.erasures.get_mut(id.get());
            let Some(row) = row.filter(|row| to.before() == Some(row.state)) else {
                return Ok(false);
            };
            row.state = to;
            if to == ErasureState::Done {
                row.customer_id = None;
                row.finished_at = Some(at);
            }
            state.erasure_talks.retain(|row| row.erasure != id);
            Ok(true)
        })
    }

    fn erase_page(
        &mut self,
        customer: CustomerId,
        limit: usize,
        at: Instant,
    ) -> Result<(Tally, Vec<ConversationId>), StoreError> {
        self.change(|state| {
            let rows = state.activities.iter();
            let theirs = rows.filter(|(_, row)| row.stored.customer_id == customer);
            let ids: Vec<i64> = theirs.map(|(id, _)| id).take(limit).collect();
            Ok(state.forget_activities(&ids, at))
        })
    }

    fn erase_talk(&mut self, talk: ConversationId, limit: usize, at: Instant) -> Result<Tally, StoreError> {
        self.change(|state| Ok(state.erase_talk(talk, limit, at)))
    }

    fn forget_talk(&mut self, talk: &Talk) -> Result<Tally, StoreError> {
        self.change(|state| Ok(state.forget_talk(talk)))
    }

    fn empty_receipts(&mut self, ids: &[ReceiptId], at: Instant) -> Result<Tally, StoreError> {
        self.change(|state| Ok(state.forget_receipts(ids, at)))
    }

    fn erase_customer(&mut self, customer: CustomerId) -> Result<Tally, StoreError> {
        self.change(|state| Ok(state.erase_customer(customer)))
    }

    fn list_erased(&mut self, erased: &[Erased]) -> Result<(), StoreError> {
        self.change(|state| {
            for one in erased {
                if !state.erased.contains(one) {
                    state.erased.push(one.clone());
                }
            }
            Ok(())
        })
    }

    fn abandon_blob(&mut self, hash: &BlobHash) -> Result<(), StoreError> {
        self.change(|state| {
            state.abandoned.retain(|other| other != hash);
            state.abandoned.insert(|_| *hash);
            Ok(())
        })
    }

    fn settle_blob(&mut self, hash: &BlobHash) -> Result<(), StoreError> {
        self.change(|state| {
            state.abandoned.retain(|other| other != hash);
            Ok(())
        })
    }
}
