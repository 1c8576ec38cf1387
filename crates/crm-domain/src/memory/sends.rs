//! Messages of ours in memory.

use std::collections::HashSet;

use time::Duration;

use super::leases::{lives, store_now};
use super::state::State;
use super::unit::Unit;
use crate::conversations::ConversationId;
use crate::instant::Instant;
use crate::ports::messenger::SendProblem;
use crate::ports::store::StoreError;
use crate::sends::{
    Author, CANCELLED, Dead, Departing, NewSend, Queued, RESENT, Send, SendId, SendQueries, SendRepository,
    SendState, TREATED, Treated, Urgency, is_due,
};

#[derive(Debug, Clone)]
pub(super) struct SendRow {
    pub(super) send: Send,
    key: String,
    run: Option<String>,
    lease_until: Option<Instant>,
}

impl SendRow {
    fn is_run_by(&self, run: &str) -> bool {
        self.send.state == SendState::Sending && self.run.as_deref() == Some(run)
    }

    /// Whether this run may say what became of it.
    fn awaits_outcome_of(&self, run: &str) -> bool {
        let abandoned = self.send.state == SendState::Unknown
            && self.send.reason.as_deref() == Some(SendProblem::Interrupted.code());
        (abandoned || self.send.state == SendState::Sending) && self.run.as_deref() == Some(run)
    }

    fn is_dead(&self, dead: Dead<'_>) -> bool {
        self.send.state == SendState::Sending
            && match dead {
                Dead::AllBut(run) => !self.is_run_by(run),
                Dead::LeaseOver { .. } => !lives(self.lease_until),
            }
    }

    fn settle(&mut self, state: SendState, reason: Option<&str>, at: Instant) {
        self.send.state = state;
        self.send.reason = reason.map(str::to_owned);
        self.send.next_try_at = None;
        self.send.finished_at = Some(at);
        self.send.held_until = None;
        self.lease_until = None;
    }

    fn waits_for_one_of(&self, reasons: &[&str]) -> bool {
        let reason = self.send.reason.as_deref();
        self.send.state == SendState::Queued && reason.is_some_and(|reason| reasons.contains(&reason))
    }
}

impl State {
    /// The oldest open message of each conversation, if none of it is on its way.
    fn heads(&self) -> Vec<&Send> {
        let open: Vec<&Send> = self
            .sends
            .iter()
            .map(|(_, row)| &row.send)
            .filter(|send| !send.state.is_final())
            .collect();
        let mut seen: HashSet<ConversationId> = open
            .iter()
            .filter(|send| send.state == SendState::Sending)
            .map(|send| send.conversation_id)
            .collect();
        open.into_iter()
            .filter(|send| seen.insert(send.conversation_id))
            .collect()
    }

    fn is_troubled(&self, send: &Send) -> bool {
        let open = matches!(send.state, SendState::Failed | SendState::Unknown);
        let done = [RESENT, CANCELLED].map(Some).contains(&send.reason.as_deref());
        open && !done && !self.is_deleted_everywhere(send.id)
    }

    fn insert_send(&mut self, new: &NewSend) -> Result<Queued, StoreError> {
        let talk = self.conversations.get(new.conversation_id.get());
        let to = talk.ok_or(StoreError::Missing("conversation_id"))?.key.clone();
        for row in self.sends.iter_mut() {
            if row.send.state == SendState::Queued && row.send.conversation_id == new.conversation_id {
                row.send.urgency = row.send.urgency.min(new.urgency);
                if row.waits_for_one_of(&SendProblem::OF_THE_LINE) {
                    row.send.next_try_at = None;
                }
            }
        }
        let id = self.sends.insert(|id| SendRow {
            send: Send {
                id: SendId::new(id),
                conversation_id: new.conversation_id,
                to,
                text: new.text.as_str().to_owned(),
                author: new.author.clone(),
                state: SendState::Queued,
                reason: None,
                urgency: new.urgency,
                tries: 0,
                next_try_at: None,
                queued_at: new.queued_at,
                finished_at: None,
                treated: None,
                held_until: None,
            },
            key: new.key.clone(),
            run: None,
            lease_until: None,
        });
        Ok(Queued::Added(SendId::new(id)))
    }
}

impl SendQueries for Unit {
    fn send(&mut self, id: SendId) -> Result<Option<Send>, StoreError> {
        self.look(|state| state.sends.get(id.get()).map(|row| row.send.clone()))
    }

    fn unshown_sends(&mut self, conversation: ConversationId) -> Result<Vec<Send>, StoreError> {
        self.look(|state| {
            let rows = state.sends.iter().map(|(_, row)| &row.send);
            rows.filter(|send| send.conversation_id == conversation)
                .filter(|send| !state.shows(|shown| shown.send_id == Some(send.id)))
                .cloned()
                .collect()
        })
    }

    fn sends_open(&mut self) -> Result<bool, StoreError> {
        self.look(|state| state.sends.iter().any(|(_, row)| !row.send.state.is_final()))
    }

    fn troubled_sends(&mut self, conversation: ConversationId) -> Result<usize, StoreError> {
        self.look(|state| {
            let sends = state.sends.iter().map(|(_, row)| &row.send);
            sends
                .filter(|send| send.conversation_id == conversation && state.is_troubled(send))
                .count()
        })
    }
}

impl SendRepository for Unit {
    fn add_send(&mut self, send: &NewSend) -> Result<Queued, StoreError> {
        self.change(|state| {
            let known = state.sends.iter().find(|(_, row)| row.key == send.key);
            let known = known.map(|(id, _)| SendId::new(id));
            match known {
                Some(id) => Ok(Queued::Existed(id)),
                None => state.insert_send(send),
            }
        })
    }

    fn claim_send(
        &mut self,
        run: &str,
        least: Urgency,
        at: Instant,
        lasts: Duration,
    ) -> Result<Option<Send>, StoreError> {
        self.change(|state| {
            let heads = state.heads();
            let may_go = |send: &&&Send| send.urgency <= least && is_due(send.next_try_at, at);
            let next = heads
                .iter()
                .filter(may_go)
                .min_by_key(|send| (send.urgency, send.id));
            let next = next.map(|send| send.id.get());
            let Some(row) = next.and_then(|id| state.sends.get_mut(id)) else {
                return Ok(None);
            };
            row.send.state = SendState::Sending;
            row.send.next_try_at = None;
            row.run = Some(run.to_owned());
            row.lease_until = Some(store_now().plus(lasts));
            Ok(Some(row.send.clone()))
        })
    }

    fn depart_send(
        &mut self,
        id: SendId,
        run: &str,
        _at: Instant,
        lasts: Duration,
    ) -> Result<Departing, StoreError> {
        self.change(|state| match state.sends.get_mut(id.get()) {
            Some(row) if row.is_run_by(run) && lives(row.lease_until) => {
                row.lease_until = Some(store_now().plus(lasts));
                Ok(Departing::Leaves)
            }
            Some(row) if row.is_run_by(run) => Ok(Departing::TooLate),
            _ => Ok(Departing::Lost),
        })
    }

    fn finish_send(
        &mut self,
        id: SendId,
        run: &str,
        outcome: SendState,
        reason: Option<&str>,
        at: Instant,
    ) -> Result<bool, StoreError> {
        self.change(|state| match state.sends.get_mut(id.get()) {
            Some(row) if row.awaits_outcome_of(run) => {
                row.settle(outcome, reason, at);
                Ok(true)
            }
            _ => Ok(false),
        })
    }

    fn requeue_send(
        &mut self,
        id: SendId,
        run: &str,
        reason: Option<&str>,
        next_try: Instant,
    ) -> Result<bool, StoreError> {
        self.change(|state| match state.sends.get_mut(id.get()) {
            Some(row) if row.is_run_by(run) => {
                row.send.state = SendState::Queued;
                row.send.reason = reason.map(str::to_owned);
                row.send.tries += 1;
                row.send.next_try_at = Some(next_try);
                row.run = None;
                row.lease_until = None;
                Ok(true)
            }
            _ => Ok(false),
        })
    }

    fn wake_sends(&mut self, reasons: &[&str]) -> Result<(), StoreError> {
        self.change(|state| {
            let waiting = state.sends.iter_mut().filter(|row| row.waits_for_one_of(reasons));
            waiting.for_each(|row| row.send.next_try_at = None);
            Ok(())
        })
    }

    fn cancel_send(&mut self, id: SendId, at: Instant) -> Result<bool, StoreError> {
        self.change(|state| match state.sends.get_mut(id.get()) {
            Some(row) if row.send.state == SendState::Queued => {
                row.settle(SendState::Failed, Some(CANCELLED), at);
                Ok(true)
            }
            _ => Ok(false),
        })
    }

    fn treat_send(&mut self, id: SendId, by: &Author, at: Instant) -> Result<bool, StoreError> {
        self.change(|state| match state.sends.get_mut(id.get()) {
            Some(row)
                if row.send.state == SendState::Unknown && row.send.reason.as_deref() != Some(RESENT) =>
            {
                row.send.state = SendState::Sent;
                row.send.reason = Some(TREATED.to_owned());
                row.send.treated = Some(Treated { by: by.clone(), at });
                Ok(true)
            }
            _ => Ok(false),
        })
    }

    fn mark_resent(&mut self, id: SendId) -> Result<bool, StoreError> {
        self.change(|state| match state.sends.get_mut(id.get()) {
            Some(row) if row.send.state == SendState::Unknown => {
                row.send.reason = Some(RESENT.to_owned());
                Ok(true)
            }
            _ => Ok(false),
        })
    }

    fn abandon_sends(&mut self, dead: Dead<'_>, reason: &str, at: Instant) -> Result<Vec<Send>, StoreError> {
        self.change(|state| {
            let lost = state.sends.iter_mut().filter(|row| row.is_dead(dead));
            let abandoned = lost.map(|row| {
                let held = match dead {
                    Dead::AllBut(_) => None,
                    Dead::LeaseOver { request } => row.lease_until.map(|until| until.plus(request)),
                };
                row.settle(SendState::Unknown, Some(reason), at);
                row.send.held_until = held;
                if matches!(dead, Dead::AllBut(_)) {
                    row.run = None;
                }
                row.send.clone()
            });
            Ok(abandoned.collect())
        })
    }

    fn give_up_sends(&mut self, reason: &str, at: Instant, limit: usize) -> Result<Vec<Send>, StoreError> {
        self.change(|state| {
            let open = state
                .sends
                .iter_mut()
                .filter(|row| matches!(row.send.state, SendState::Queued | SendState::Sending))
                .take(limit);
            let given_up = open.map(|row| {
                row.settle(SendState::Unknown, Some(reason), at);
                row.send.clone()
            });
            Ok(given_up.collect())
        })
    }
}
