//! Senders in memory.

use super::state::State;
use super::unit::Unit;
use crate::instant::Instant;
use crate::ports::profiles::ProfileName;
use crate::ports::store::StoreError;
use crate::senders::{LookUp, Sender, SenderId, SenderQueries, SenderRepository};
use crate::values::LineUserId;

impl State {
    fn note_sender(&mut self, address: &LineUserId, at: Instant) {
        if self.senders.iter().any(|(_, known)| known.address == *address) {
            return;
        }
        self.senders.insert(|id| Sender {
            id: SenderId::new(id),
            address: address.clone(),
            name: ProfileName::default(),
            email: String::new(),
            fetched_at: None,
            problem: None,
            next_try_at: Some(at),
            tries: 0,
        });
    }
}

fn settle(sender: &mut Sender, found: &LookUp, at: Instant) {
    match found {
        LookUp::Found(profile) => {
            sender.name = profile.name.clone();
            sender.email.clone_from(&profile.email);
            sender.fetched_at = Some(at);
            sender.problem = None;
            sender.next_try_at = None;
            sender.tries = 0;
        }
        LookUp::Failed { problem, next_try_at } => {
            sender.problem = Some(problem.clone());
            sender.next_try_at = Some(*next_try_at);
            sender.tries += 1;
        }
    }
}

impl SenderQueries for Unit {
    fn due_senders(&mut self, limit: usize, now: Instant) -> Result<Vec<Sender>, StoreError> {
        self.look(|state| {
            let mut due: Vec<Sender> = state
                .senders
                .iter()
                .map(|(_, sender)| sender.clone())
                .filter(|sender| sender.next_try_at.is_some_and(|at| at <= now))
                .collect();
            due.sort_by_key(|sender| (sender.next_try_at, sender.id.get()));
            due.truncate(limit);
            due
        })
    }

    fn senders_of(&mut self, addresses: &[LineUserId]) -> Result<Vec<Sender>, StoreError> {
        self.look(|state| {
            let all = state.senders.iter().map(|(_, sender)| sender);
            all.filter(|sender| addresses.contains(&sender.address))
                .cloned()
                .collect()
        })
    }
}

impl SenderRepository for Unit {
    fn note_senders(&mut self, addresses: &[LineUserId], at: Instant) -> Result<(), StoreError> {
        self.change(|state| {
            for address in addresses {
                state.note_sender(address, at);
            }
            Ok(())
        })
    }

    fn settle_sender(&mut self, address: &LineUserId, found: &LookUp, at: Instant) -> Result<(), StoreError> {
        self.change(|state| {
            let mut all = state.senders.iter_mut();
            if let Some(sender) = all.find(|sender| sender.address == *address) {
                settle(sender, found, at);
            }
            Ok(())
        })
    }

    fn defer_senders(&mut self, problem: &str, now: Instant, until: Instant) -> Result<usize, StoreError> {
        self.change(|state| {
            let all = state.senders.iter_mut();
            let due = all.filter(|sender| sender.next_try_at.is_some_and(|at| at <= now));
            Ok(due
                .map(|sender| {
                    sender.problem = Some(problem.to_owned());
                    sender.next_try_at = Some(until);
                })
                .count())
        })
    }

    fn retry_senders(&mut self, problem: &str, at: Instant) -> Result<(), StoreError> {
        self.change(|state| {
            let all = state.senders.iter_mut();
            for sender in all.filter(|sender| sender.problem.as_deref() == Some(problem)) {
                if sender.next_try_at.is_some() {
                    sender.next_try_at = Some(at);
                }
            }
            Ok(())
        })
    }
}
