//! Kept answers in memory.

use super::state::State;
use super::unit::Unit;
use crate::conversations::ConversationId;
use crate::customers::CustomerId;
use crate::idempotency::{Answer, Asked, IdempotencyQueries, IdempotencyRepository, KeptAnswer, Named};
use crate::instant::Instant;
use crate::ports::store::StoreError;

#[derive(Debug, Clone)]
pub(super) struct AnswerRow {
    asked: Asked,
    answer: Answer,
    named: Named,
    at: Instant,
}

impl AnswerRow {
    fn is_for(&self, asked: &Asked) -> bool {
        let key = |one: &Asked| (one.member, one.method, one.path.clone(), one.key.clone());
        key(&self.asked) == key(asked)
    }
}

impl State {
    pub(super) fn forget_answers_about(&mut self, customer: CustomerId) {
        self.answers.retain(|row| row.named.customer != Some(customer));
    }

    pub(super) fn forget_answers_of(&mut self, talk: ConversationId) {
        self.answers.retain(|row| row.named.conversation != Some(talk));
    }
}

impl IdempotencyQueries for Unit {
    fn kept_answer(&mut self, asked: &Asked, since: Instant) -> Result<Option<KeptAnswer>, StoreError> {
        self.look(|state| {
            let mut rows = state.answers.iter().map(|(_, row)| row);
            let row = rows.find(|row| row.is_for(asked) && row.at >= since)?;
            Some(KeptAnswer {
                asked: row.asked.body,
                answer: row.answer.clone(),
            })
        })
    }
}

impl IdempotencyRepository for Unit {
    fn keep_answer(
        &mut self,
        asked: &Asked,
        answer: &Answer,
        named: Named,
        since: Instant,
        at: Instant,
    ) -> Result<(), StoreError> {
        self.change(|state| {
            state.answers.retain(|row| !row.is_for(asked) || row.at >= since);
            if state.answers.iter().any(|(_, row)| row.is_for(asked)) {
                return Err(StoreError::Taken("key"));
            }
            state.answers.insert(|_| AnswerRow {
                asked: asked.clone(),
                answer: answer.clone(),
                named,
                at,
            });
            Ok(())
        })
    }

    fn forget_answers(&mut self, before: Instant, limit: usize) -> Result<usize, StoreError> {
        self.change(|state| {
            let old: Vec<i64> = state
                .answers
                .iter()
                .filter(|(_, row)| row.at < before)
                .map(|(id, _)| id)
                .take(limit)
                .collect();
            state.answers.retain_rows(|id, _| !old.contains(&id));
            Ok(old.len())
        })
    }
}
