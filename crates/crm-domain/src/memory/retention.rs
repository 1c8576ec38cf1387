//! Rules, holds and daily runs in memory.

use super::activities::ActivityRow;
use super::state::State;
use super::unit::Unit;
use crate::activities::Direction;
use crate::conversations::{Conversation, ConversationId, ConversationKind};
use crate::customers::CustomerId;
use crate::erasures::Talk;
use crate::id::Id;
use crate::instant::Instant;
use crate::ports::store::StoreError;
use crate::receipts::{ReceiptId, ReceiptState};
use crate::retention::{
    Foreseen, Hold, HoldId, HouseRun, RetentionQueries, RetentionRepository, Rule, RuleKind,
};
use crate::tally::{DataKind, Tally};

#[derive(Debug, Clone)]
pub(super) struct HoldRow {
    pub(super) hold: Hold,
    lifted: bool,
}

fn is_old(row: &ActivityRow, kind: RuleKind, before: Instant) -> bool {
    let is_note = row.stored.direction == Direction::Note;
    row.stored.timestamp < before && is_note == (kind == RuleKind::Notes)
}

impl State {
    fn open_holds(&self) -> impl Iterator<Item = &Hold> {
        let rows = self.holds.iter().map(|(_, row)| row);
        rows.filter(|row| !row.lifted).map(|row| &row.hold)
    }

    fn has_hold(&self, customer: CustomerId) -> bool {
        self.open_holds().any(|hold| hold.customer_id == Some(customer))
    }

    fn silent(&self, before: Instant) -> impl Iterator<Item = (&Conversation, Instant)> {
        let talks = self.conversations.iter().map(|(_, talk)| talk);
        talks.filter_map(move |talk| {
            let last = talk.standing.last.as_ref()?.at;
            let carried = self
                .customers
                .iter()
                .any(|(_, row)| row.customer.details.line_user_id.as_ref() == Some(&talk.key.address));
            let shown = self
                .activities
                .iter()
                .any(|(_, row)| row.stored.conversation_id == Some(talk.id));
            let silent = talk.key.kind == ConversationKind::Person
                && talk.standing.customer_id.is_none()
                && last < before;
            (silent && !carried && !shown).then_some((talk, last))
        })
    }

    fn foresee(&self, kind: RuleKind, before: Instant) -> Foreseen {
        let mut foreseen = Foreseen::default();
        let mut note = |at: Instant, held: bool| {
            if held {
                foreseen.held += 1;
            } else {
                foreseen.count += 1;
                foreseen.oldest = Some(foreseen.oldest.map_or(at, |oldest| oldest.min(at)));
            }
        };
        match kind {
            RuleKind::Messages | RuleKind::Notes => {
                let rows = self.activities.iter().map(|(_, row)| row);
                for row in rows.filter(|row| is_old(row, kind, before)) {
                    note(row.stored.timestamp, self.has_hold(row.stored.customer_id));
                }
            }
            RuleKind::UnknownSenders => self.silent(before).for_each(|(_, at)| note(at, false)),
            RuleKind::Audit => {}
        }
        foreseen
    }
}

impl RetentionQueries for Unit {
    fn retention_rules(&mut self) -> Result<Vec<Rule>, StoreError> {
        self.look(|state| {
            let mut rules: Vec<Rule> = state.rules.iter().map(|(_, rule)| *rule).collect();
            rules.sort_by_key(|rule| rule.kind.code());
            rules
        })
    }

    fn holds(&mut self) -> Result<Vec<Hold>, StoreError> {
        self.look(|state| {
            let mut holds: Vec<Hold> = state.open_holds().cloned().collect();
            holds.reverse();
            for hold in &mut holds {
                let row = hold.customer_id.and_then(|id| state.customers.get(id.get()));
                hold.customer_name = row.map(|row| row.customer.details.name.full());
            }
            holds
        })
    }

    fn is_held(&mut self, customer: CustomerId) -> Result<bool, StoreError> {
        self.look(|state| {
            state.has_hold(customer) || state.open_holds().any(|hold| hold.customer_id.is_none())
        })
    }

    fn everything_held(&mut self) -> Result<bool, StoreError> {
        self.look(|state| state.open_holds().any(|hold| hold.customer_id.is_none()))
    }

    fn last_house_run(&mut self) -> Result<Option<HouseRun>, StoreError> {
        self.look(|state| state.house_runs.iter().next_back().map(|(_, run)| run.clone()))
    }

    fn foresee(&mut self, kind: RuleKind, before: Instant) -> Result<Foreseen, StoreError> {
        self.look(|state| state.foresee(kind, before))
    }

    fn silent_talks(&mut self, before: Instant, limit: usize) -> Result<Vec<Talk>, StoreError> {
        self.look(|state| {
            let silent = state.silent(before).take(limit);
            silent
                .map(|(talk, _)| (talk.id, talk.key.address.clone()))
                .collect()
        })
    }
}

impl RetentionRepository for Unit {
    fn set_rule(&mut self, rule: Rule) -> Result<(), StoreError> {
        self.change(|state| {
            state.rules.retain(|other| other.kind != rule.kind);
            if rule.months.is_some() {
                state.rules.insert(|_| rule);
            }
            Ok(())
        })
    }

    fn place_hold(
        &mut self,
        customer: Option<CustomerId>,
        reason: &str,
        by: &str,
        at: Instant,
    ) -> Result<HoldId, StoreError> {
        self.change(|state| {
            if customer.is_some_and(|customer| state.customers.get(customer.get()).is_none()) {
                return Err(StoreError::Missing("customer_id"));
            }
            let id = state.holds.insert(|id| HoldRow {
                hold: Hold {
                    id: HoldId::new(id),
                    customer_id: customer,
                    customer_name: None,
                    reason: reason.to_owned(),
                    placed_at: at,
                    placed_by: by.to_owned(),
                },
                lifted: false,
            });
            Ok(HoldId::new(id))
        })
    }

    fn lift_hold(&mut self, id: HoldId, _by: &str, _at: Instant) -> Result<bool, StoreError> {
        self.change(|state| {
            let open = state.holds.get_mut(id.get()).filter(|row| !row.lifted);
            Ok(open.map(|row| row.lifted = true).is_some())
        })
    }

    fn begin_house_run(&mut self, at: Instant, held: bool) -> Result<Id<HouseRun>, StoreError> {
        self.change(|state| {
            let id = state.house_runs.insert(|id| HouseRun {
                id: Id::new(id),
                started_at: at,
                finished_at: None,
                held,
                tally: Tally::default(),
            });
            state.house_runs.retain_rows(|number, _| number > id - 100);
            Ok(Id::new(id))
        })
    }

    fn end_house_run(&mut self, id: Id<HouseRun>, at: Instant, tally: &Tally) -> Result<(), StoreError> {
        self.change(|state| {
            if let Some(run) = state.house_runs.get_mut(id.get()) {
                run.finished_at = Some(at);
                run.tally = tally.clone();
            }
            Ok(())
        })
    }

    fn forget_activities(
        &mut self,
        kind: RuleKind,
        before: Instant,
        limit: usize,
        at: Instant,
    ) -> Result<(Tally, Vec<ConversationId>), StoreError> {
        self.change(|state| {
            let rows = state
                .activities
                .iter()
                .filter(|(_, row)| is_old(row, kind, before) && !state.has_hold(row.stored.customer_id));
            let mut old: Vec<_> = rows.map(|(id, row)| (row.stored.timestamp, id)).collect();
            old.sort_unstable();
            old.truncate(limit);
            let ids: Vec<i64> = old.into_iter().map(|(_, id)| id).collect();
            Ok(state.forget_activities(&ids, at))
        })
    }

    fn empty_old_bodies(
        &mut self,
        before: Instant,
        after: ReceiptId,
        limit: usize,
    ) -> Result<(Tally, Option<ReceiptId>), StoreError> {
        self.change(|state| {
            let looked: Vec<i64> = state
                .receipts
                .iter_after(after.get())
                .map(|(id, _)| id)
                .take(limit)
                .collect();
            let mut emptied = 0;
            for id in &looked {
                let receipt = Some(ReceiptId::new(*id));
                let held = state.activities.iter().any(|(_, row)| {
                    row.stored.receipt_id == receipt && state.has_hold(row.stored.customer_id)
                });
                let Some(row) = state.receipts.get_mut(*id).filter(|_| !held) else {
                    continue;
                };
                let done = row.outcome.as_ref().is_some_and(|outcome| {
                    matches!(outcome.state, ReceiptState::Recorded | ReceiptState::Ignored)
                });
                let over = row.settled_at.is_some_and(|at| at < before);
                if done && over && !row.kept.body.is_empty() {
                    row.kept.body.clear();
                    emptied += 1;
                }
            }
            let next = looked.last().filter(|_| looked.len() == limit);
            let next = next.map(|id| ReceiptId::new(*id));
            Ok((Tally::of(DataKind::Bodies, emptied), next))
        })
    }
}
