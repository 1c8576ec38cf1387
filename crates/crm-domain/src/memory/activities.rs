//! Messages in memory.

use std::collections::HashSet;

use super::state::State;
use super::unit::Unit;
use crate::activities::{
    Activity, ActivityId, ActivityPlace, ActivityQueries, ActivityRepository, Direction, NewActivity, Sending,
};
use crate::companies::CompanyId;
use crate::conversations::{ConversationId, ConversationKind};
use crate::customers::CustomerId;
use crate::imports::ImportId;
use crate::instant::Instant;
use crate::ports::store::StoreError;
use crate::receipts::ReceiptId;
use crate::searches::Saying;
use crate::sends::{SendId, SendState};
use crate::standings::LastMessage;
use crate::teams::Visible;
use crate::values::SearchWords;

#[derive(Debug, Clone)]
pub(super) struct ActivityRow {
    pub(super) id: ActivityId,
    pub(super) stored: NewActivity,
    pub(super) deleted_at: Option<Instant>,
    /// The unfinished import that added it.
    pub(super) hidden_by: Option<ImportId>,
}

impl ActivityRow {
    pub(super) fn new(id: i64, stored: &NewActivity, hidden_by: Option<ImportId>) -> Self {
        Self {
            id: ActivityId::new(id),
            stored: stored.clone(),
            deleted_at: None,
            hidden_by,
        }
    }

    fn place(&self) -> ActivityPlace {
        ActivityPlace {
            timestamp: self.stored.timestamp,
            id: self.id,
        }
    }
}

/// What a row shows: the callback, sending or note it came from; `None` for imported rows.
fn source(stored: &NewActivity) -> Option<(u8, i64)> {
    let received = stored.receipt_id.map(|id| (0, id.get()));
    let sent = stored.send_id.map(|id| (1, id.get()));
    received.or(sent).or(stored.note_id.map(|id| (2, id.get())))
}

impl State {
    /// Whether such a message stands, or stood, on any page.
    pub(super) fn shows(&self, is_meant: impl Fn(&NewActivity) -> bool) -> bool {
        self.activities.iter().any(|(_, row)| is_meant(&row.stored))
    }

    fn is_shown(&self, row: &ActivityRow) -> bool {
        row.deleted_at.is_none()
            && row.hidden_by.is_none()
            && self.visible_customer(row.stored.customer_id).is_some()
    }

    fn shown_activity(&self, row: &ActivityRow) -> Activity {
        let stored = &row.stored;
        let send = stored.send_id.and_then(|id| self.sends.get(id.get()));
        Activity {
            id: row.id,
            customer_id: stored.customer_id,
            conversation_id: stored.conversation_id,
            direction: stored.direction,
            kind: stored.kind,
            message: stored.message.clone(),
            detail: stored.detail.clone(),
            timestamp: stored.timestamp,
            sending: send.map(|row| Sending {
                id: row.send.id,
                state: row.send.state,
                reason: row.send.reason.clone(),
                author: row.send.author.name.clone(),
                next_try_at: row.send.next_try_at,
                treated_by: row.send.treated.as_ref().map(|treated| treated.by.name.clone()),
                held_until: row.send.held_until,
            }),
            note_author: stored
                .note_id
                .and_then(|id| self.notes.get(id.get()))
                .map(|row| row.stored.author.name.clone()),
            late: stored.late,
            in_room: stored
                .conversation_id
                .and_then(|id| self.conversations.get(id.get()))
                .is_some_and(|talk| talk.key.kind == ConversationKind::Room),
            file: stored.receipt_id.and_then(|id| self.attachment_of(id)),
        }
    }

    /// On whose pages the message of a callback stands.
    pub(super) fn customers_of_receipt(&self, receipt: ReceiptId) -> Vec<CustomerId> {
        let rows = self.activities.iter().map(|(_, row)| row);
        rows.filter(|row| row.stored.receipt_id == Some(receipt) && self.is_shown(row))
            .map(|row| row.stored.customer_id)
            .collect()
    }

    /// The newest messages of these customers, newest first.
    fn newest(
        &self,
        of: impl Fn(CustomerId) -> bool,
        before: Option<ActivityPlace>,
        limit: usize,
    ) -> Vec<Activity> {
        let mut rows: Vec<_> = self
            .activities
            .iter()
            .map(|(_, row)| row)
            .filter(|row| of(row.stored.customer_id) && self.is_shown(row))
            .filter(|row| before.is_none_or(|before| row.place() < before))
            .collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.place()));
        rows.into_iter()
            .take(limit)
            .map(|row| self.shown_activity(row))
            .collect()
    }

    /// Whether a message of ours stood on pages and stands on none any more.
    pub(super) fn is_deleted_everywhere(&self, send: SendId) -> bool {
        let rows = self.activities.iter().map(|(_, row)| row);
        let mut showing = rows.filter(|row| row.stored.send_id == Some(send)).peekable();
        showing.peek().is_some() && showing.all(|row| row.deleted_at.is_some())
    }

    /// As [`crate::conversations::ConversationQueries::has_confirmed_message`].
    pub(super) fn has_confirmed_message(&self, id: ConversationId) -> bool {
        self.activities
            .iter()
            .map(|(_, row)| row)
            .filter(|row| row.stored.conversation_id == Some(id))
            .filter(|row| row.deleted_at.is_none() && row.hidden_by.is_none())
            .any(|row| {
                row.stored.direction == Direction::Received
                    || self.shown_activity(row).send_state() == Some(SendState::Sent)
            })
    }

    /// Adds them all, or none when a customer is missing.
    pub(super) fn add_activities<'a>(
        &mut self,
        rows: impl Iterator<Item = &'a NewActivity> + Clone,
        hidden_by: Option<ImportId>,
    ) -> Result<Vec<ActivityId>, StoreError> {
        if rows
            .clone()
            .any(|row| self.customers.get(row.customer_id.get()).is_none())
        {
            return Err(StoreError::Missing("customer_id"));
        }
        let ids = rows.map(|row| {
            let id = self.activities.insert(|id| ActivityRow::new(id, row, hidden_by));
            ActivityId::new(id)
        });
        Ok(ids.collect())
    }
}

impl ActivityQueries for Unit {
    fn activity(&mut self, id: ActivityId) -> Result<Option<Activity>, StoreError> {
        self.look(|state| {
            let row = state.activities.get(id.get())?;
            state.is_shown(row).then(|| state.shown_activity(row))
        })
    }

    fn customer_of_activity(&mut self, id: ActivityId) -> Result<Option<CustomerId>, StoreError> {
        self.look(|state| {
            let row = state
                .activities
                .get(id.get())
                .filter(|row| row.hidden_by.is_none())?;
            state.visible_customer(row.stored.customer_id)?;
            Some(row.stored.customer_id)
        })
    }

    fn activities_before(
        &mut self,
        customer: CustomerId,
        before: Option<ActivityPlace>,
        limit: usize,
    ) -> Result<Vec<Activity>, StoreError> {
        self.look(|state| state.newest(|of| of == customer, before, limit))
    }

    fn activities_added_after(
        &mut self,
        customer: CustomerId,
        after: Option<ActivityId>,
        limit: usize,
    ) -> Result<Vec<Activity>, StoreError> {
        self.look(|state| {
            let mut rows: Vec<_> = state
                .activities
                .iter_after(after.map_or(0, ActivityId::get))
                .map(|(_, row)| row)
                .filter(|row| row.stored.customer_id == customer && state.is_shown(row))
                .take(limit)
                .collect();
            rows.sort_by_key(|row| row.place());
            rows.into_iter().map(|row| state.shown_activity(row)).collect()
        })
    }

    fn activities_lacking(
        &mut self,
        conversation: ConversationId,
        customer: CustomerId,
        after: Option<ActivityId>,
        limit: usize,
    ) -> Result<Vec<(ActivityId, NewActivity)>, StoreError> {
        self.look(|state| {
            let of = |row: &&ActivityRow| row.stored.conversation_id == Some(conversation);
            let rows = || state.activities.iter().map(|(_, row)| row).filter(of);
            let mut shown: HashSet<_> = rows()
                .filter(|row| row.stored.customer_id == customer)
                .filter_map(|row| source(&row.stored))
                .collect();
            rows()
                .filter(|row| row.id > after.unwrap_or(ActivityId::new(0)))
                .filter(|row| row.deleted_at.is_none() && row.hidden_by.is_none())
                .filter(|row| source(&row.stored).is_some_and(|source| shown.insert(source)))
                .take(limit)
                .map(|row| {
                    let mut copy = row.stored.clone();
                    copy.customer_id = customer;
                    (row.id, copy)
                })
                .collect()
        })
    }

    fn received_after(
        &mut self,
        conversation: ConversationId,
        at: Instant,
    ) -> Result<Option<Instant>, StoreError> {
        self.look(|state| {
            let rows = state.activities.iter().map(|(_, row)| row);
            rows.filter(|row| row.stored.conversation_id == Some(conversation))
                .filter(|row| row.deleted_at.is_none() && row.stored.direction == Direction::Received)
                .map(|row| row.stored.timestamp)
                .filter(|said| *said > at)
                .min()
        })
    }

    fn last_message(&mut self, conversation: ConversationId) -> Result<Option<LastMessage>, StoreError> {
        self.look(|state| {
            let rows = state.activities.iter().map(|(_, row)| row);
            let standing = rows
                .filter(|row| row.stored.conversation_id == Some(conversation))
                .filter(|row| row.deleted_at.is_none() && row.hidden_by.is_none())
                .filter(|row| row.stored.direction != Direction::Note);
            let last = &standing.max_by_key(|row| row.place())?.stored;
            let (at, text) = (last.timestamp, last.message.as_str());
            Some(LastMessage::new(at, last.direction, last.kind, text))
        })
    }

    fn activities_of_company(
        &mut self,
        company: CompanyId,
        before: Option<ActivityPlace>,
        limit: usize,
        visible: &Visible,
    ) -> Result<Vec<Activity>, StoreError> {
        self.look(|state| {
            let of = |id| {
                state.visible_customer(id).is_some_and(|customer| {
                    customer.details.company_id == Some(company)
                        && visible.shows(customer.owner_id, customer.team_id)
                })
            };
            state.newest(of, before, limit)
        })
    }

    fn activities_saying(
        &mut self,
        words: &SearchWords,
        before: Option<ActivityId>,
        limit: usize,
        visible: &Visible,
    ) -> Result<Saying, StoreError> {
        self.look(|state| {
            let seen = |row: &ActivityRow| {
                state.is_shown(row)
                    && state
                        .visible_customer(row.stored.customer_id)
                        .is_some_and(|customer| visible.shows(customer.owner_id, customer.team_id))
            };
            let mut rows: Vec<_> = state
                .activities
                .iter()
                .map(|(_, row)| row)
                .filter(|row| before.is_none_or(|before| row.id < before))
                .filter(|row| seen(row) && words.are_said_in(&row.stored.message))
                .collect();
            rows.reverse();
            let next = rows
                .get(limit)
                .and_then(|_| Some(rows.get(limit.checked_sub(1)?)?.id));
            let shown = rows.into_iter().take(limit);
            let items = shown.map(|row| state.shown_activity(row)).collect();
            Saying { items, next }
        })
    }

    fn are_activities_indexed(&mut self) -> Result<bool, StoreError> {
        self.look(|_| true)
    }
}

impl ActivityRepository for Unit {
    fn add_activities(&mut self, activities: &[NewActivity]) -> Result<Vec<ActivityId>, StoreError> {
        self.change(|state| state.add_activities(activities.iter(), None))
    }

    fn delete_activity(&mut self, id: ActivityId, at: Instant) -> Result<bool, StoreError> {
        self.change(|state| {
            if !state
                .activities
                .get(id.get())
                .is_some_and(|row| state.is_shown(row))
            {
                return Ok(false);
            }
            if let Some(row) = state.activities.get_mut(id.get()) {
                row.deleted_at = Some(at);
            }
            Ok(true)
        })
    }

    fn delete_activities_of_send(&mut self, send: SendId, at: Instant) -> Result<usize, StoreError> {
        self.change(|state| {
            let mut deleted = 0;
            for row in state.activities.iter_mut() {
                if row.stored.send_id == Some(send) && row.deleted_at.is_none() {
                    row.deleted_at = Some(at);
                    deleted += 1;
                }
            }
            Ok(deleted)
        })
    }

    fn retime_send(&mut self, send: SendId, at: Instant) -> Result<(), StoreError> {
        self.change(|state| {
            for row in state.activities.iter_mut() {
                if row.stored.send_id == Some(send) {
                    row.stored.timestamp = at;
                }
            }
            Ok(())
        })
    }

    fn restore_activity(&mut self, id: ActivityId) -> Result<Option<Activity>, StoreError> {
        self.change(|state| {
            let Some(row) = state.activities.get_mut(id.get()) else {
                return Ok(None);
            };
            if row.deleted_at.take().is_none() {
                return Ok(None);
            }
            let row = row.clone();
            Ok(Some(state.shown_activity(&row)))
        })
    }

    /// Everything here is found by its words anyhow.
    fn index_activities(&mut self, _limit: usize) -> Result<usize, StoreError> {
        self.change(|_| Ok(0))
    }
}
