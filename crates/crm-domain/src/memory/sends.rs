//! Messages of ours in memory.

use super::unit::Unit;
use crate::conversations::ConversationId;
use crate::instant::Instant;
use crate::ports::store::StoreError;
use crate::sends::{NewSend, Queued, RESENT, Send, SendId, SendQueries, SendRepository, SendState};

#[derive(Debug, Clone)]
pub(super) struct SendRow {
    pub(super) send: Send,
    key: String,
    run: Option<String>,
}

impl SendRow {
    fn is_run_by(&self, run: &str) -> bool {
        self.send.state == SendState::Sending && self.run.as_deref() == Some(run)
    }

    fn settle(&mut self, state: SendState, reason: Option<&str>, at: Instant) {
        self.send.state = state;
        self.send.reason = reason.map(str::to_owned);
        self.send.finished_at = Some(at);
    }
}

impl SendQueries for Unit {
    fn send(&mut self, id: SendId) -> Result<Option<Send>, StoreError> {
        self.look(|state| state.sends.get(id.get()).map(|row| row.send.clone()))
    }

    fn sends_open(&mut self) -> Result<bool, StoreError> {
        self.look(|state| state.sends.iter().any(|(_, row)| !row.send.state.is_final()))
    }
}

impl SendRepository for Unit {
    fn add_send(&mut self, send: &NewSend) -> Result<Queued, StoreError> {
        self.change(|state| {
            if let Some((id, _)) = state.sends.iter().find(|(_, row)| row.key == send.key) {
                return Ok(Queued::Existed(SendId::new(id)));
            }
            let talk = state.conversations.get(send.conversation_id.get());
            let to = talk.ok_or(StoreError::Missing("conversation_id"))?.key.clone();
            let id = state.sends.insert(|id| SendRow {
                send: Send {
                    id: SendId::new(id),
                    conversation_id: send.conversation_id,
                    to,
                    text: send.text.as_str().to_owned(),
                    author: send.author.clone(),
                    state: SendState::Queued,
                    reason: None,
                    queued_at: send.queued_at,
                    finished_at: None,
                },
                key: send.key.clone(),
                run: None,
            });
            Ok(Queued::Added(SendId::new(id)))
        })
    }

    fn claim_send(&mut self, run: &str, _at: Instant) -> Result<Option<Send>, StoreError> {
        self.change(|state| {
            let busy: Vec<ConversationId> = state
                .sends
                .iter()
                .filter(|(_, row)| row.send.state == SendState::Sending)
                .map(|(_, row)| row.send.conversation_id)
                .collect();
            let next = state.sends.iter().find(|(_, row)| {
                row.send.state == SendState::Queued && !busy.contains(&row.send.conversation_id)
            });
            let Some(row) = next.map(|(id, _)| id).and_then(|id| state.sends.get_mut(id)) else {
                return Ok(None);
            };
            row.send.state = SendState::Sending;
            row.run = Some(run.to_owned());
            Ok(Some(row.send.clone()))
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
            Some(row) if row.is_run_by(run) => {
                row.settle(outcome, reason, at);
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

    fn abandon_sends(&mut self, living_run: &str, reason: &str, at: Instant) -> Result<usize, StoreError> {
        self.change(|state| {
            let mut abandoned = 0;
            for row in state.sends.iter_mut() {
                if row.send.state == SendState::Sending && !row.is_run_by(living_run) {
                    row.settle(SendState::Unknown, Some(reason), at);
                    abandoned += 1;
                }
            }
            Ok(abandoned)
        })
    }
}
