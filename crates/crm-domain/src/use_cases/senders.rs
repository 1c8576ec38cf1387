//! Senders: asking the directory for their names, outside any unit of work, and telling what it said.

use time::Duration;

use super::Crm;
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::profiles::ProfileError;
use crate::ports::store::{StoreError, StoreExt, UnitOfWork};
use crate::senders::{LookUp, Sender};
use crate::values::LineUserId;

/// How long the directory is left alone when the app may not ask, or there is none.
pub const WITHOUT_DIRECTORY: Duration = Duration::HOUR;
/// How long it is left alone when it cannot be reached and named no time.
const UNREACHABLE: Duration = Duration::MINUTE;
/// The longest until one person is asked for again.
const LONGEST: Duration = Duration::DAY;

/// What a round of asking came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameRound {
    /// Of how many the directory was asked.
    pub asked: usize,
    /// How many names it told.
    pub found: usize,
    /// Why the round ended early, and until when the directory is left alone.
    pub pause: Option<NamePause>,
}

/// Why and how long the directory is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePause {
    /// Why.
    pub problem: ProfileError,
    /// Until when.
    pub until: Instant,
}

impl NamePause {
    /// Whether it still lasts; a clock that was set back does not make it longer.
    pub fn lasts(&self, now: Instant) -> bool {
        let left = self.until.since(now);
        left > Duration::ZERO && left <= WITHOUT_DIRECTORY
    }
}

impl Crm {
    /// What is known of these people, in no order; nothing for those who never wrote.
    pub async fn senders_of(&self, actor: &Actor, addresses: Vec<LineUserId>) -> Result<Vec<Sender>, Error> {
        self.may(actor, Action::ViewRecords)?;
        self.ports
            .store
            .read(move |unit| Ok(unit.senders().senders_of(&addresses)?))
            .await
    }

    /// Asks the directory for the names that are due, at most `limit` of them, and writes each answer at once.
    pub async fn fetch_names(&self, actor: &Actor, limit: usize) -> Result<NameRound, Error> {
        self.may(actor, Action::RecordCallbacks)?;
        let mut round = NameRound::default();
        let now = self.now();
        let due = self.ports.store.read(move |unit| {
            if unit.backups().pause()?.is_some() {
                return Ok::<_, Error>(Vec::new());
            }
            Ok(unit.senders().due_senders(limit, now)?)
        });
        for sender in due.await? {
            round.asked += 1;
            let told = self.ports.profiles.look_up(&sender.address).await;
            let now = self.now();
            match told {
                Ok(profile) => {
                    round.found += 1;
                    self.settle_name(&sender, LookUp::Found(profile), now).await?;
                }
                Err(problem) => {
                    if let Some(pause) = self.note_failure(actor, &sender, problem, now).await? {
                        round.pause = Some(pause);
                        break;
                    }
                }
            }
        }
        Ok(round)
    }

    /// Leaves those alone who are due while the directory is not to be asked.
    pub async fn defer_names(&self, actor: &Actor, pause: &NamePause) -> Result<usize, Error> {
        self.may(actor, Action::RecordCallbacks)?;
        let (code, now, until) = (pause.problem.code(), self.now(), pause.until);
        let due = self
            .ports
            .store
            .read(move |unit| Ok::<_, Error>(unit.senders().due_senders(1, now)?));
        if due.await?.is_empty() {
            return Ok(0);
        }
        self.change_again(move |uow| Ok(uow.edit_senders().defer_senders(code, now, until)?))
            .await
    }

    /// Makes those due whose names could not be had because of the settings: a restart may have mended them.
    pub async fn retry_names(&self, actor: &Actor) -> Result<(), Error> {
        self.may(actor, Action::RecordCallbacks)?;
        let now = self.now();
        self.change_again(move |uow| {
            for problem in [ProfileError::ScopeMissing, ProfileError::NotConfigured] {
                uow.edit_senders().retry_senders(problem.code(), now)?;
            }
            Ok(())
        })
        .await
    }

    /// What concerns this person only is noted with them; what concerns everybody pauses everybody.
    async fn note_failure(
        &self,
        actor: &Actor,
        sender: &Sender,
        problem: ProfileError,
        now: Instant,
    ) -> Result<Option<NamePause>, Error> {
        let wait = match &problem {
            ProfileError::ScopeMissing | ProfileError::NotConfigured => WITHOUT_DIRECTORY,
            ProfileError::Later { wait: Some(wait), .. } => Duration::seconds((*wait).into()),
            ProfileError::Later { wait: None, .. } => UNREACHABLE,
            ProfileError::NotFound | ProfileError::Refused(_) => Duration::ZERO,
        };
        let is_about_person = !matches!(
            problem,
            ProfileError::ScopeMissing
                | ProfileError::NotConfigured
                | ProfileError::Later { wait: Some(_), .. }
        );
        if is_about_person {
            let failed = LookUp::Failed {
                problem: problem.code().to_owned(),
                // Behind the others, who are due again after the wait.
                next_try_at: now.plus(wait + back_off(sender.tries)),
            };
            self.settle_name(sender, failed, now).await?;
        }
        if wait.is_zero() {
            return Ok(None);
        }
        let pause = NamePause {
            problem,
            until: now.plus(wait),
        };
        self.defer_names(actor, &pause).await?;
        Ok(Some(pause))
    }

    async fn settle_name(&self, sender: &Sender, found: LookUp, now: Instant) -> Result<(), Error> {
        let address = sender.address.clone();
        self.change_again(move |uow| {
            uow.edit_senders().settle_sender(&address, &found, now)?;
            Ok(announce(uow, &address, now)?)
        })
        .await
    }
}

/// Open pages show another name.
fn announce(uow: &mut dyn UnitOfWork, address: &LineUserId, at: Instant) -> Result<(), StoreError> {
    let talks = uow
        .conversations()
        .conversations_with(std::slice::from_ref(address))?;
    let events: Vec<NewEvent> = talks
        .iter()
        .map(|talk| NewEvent::new(EventKind::Conversation, at).conversation(talk.id))
        .collect();
    uow.edit_events().add_events(&events)
}

/// A minute, then twice as long each time, up to a day.
fn back_off(tries: u32) -> Duration {
    let minutes = 1_i64.checked_shl(tries.min(20)).unwrap_or(i64::MAX);
    Duration::minutes(minutes).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::back_off;

    #[test]
    fn tries_become_rarer_up_to_a_day() {
        let minutes = [
            (0, 1),
            (1, 2),
            (5, 32),
            (10, 1_024),
            (11, 1_440),
            (4_000_000, 1_440),
        ];
        for (tries, expected) in minutes {
            assert_eq!(back_off(tries), Duration::minutes(expected), "{tries}");
        }
    }
}
