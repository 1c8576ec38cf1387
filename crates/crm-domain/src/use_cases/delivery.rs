//! Delivery: what is queued leaves when the budget has room, and what became of it is noted. No network call happens
//! inside a unit of work.

use time::Duration;

use super::Crm;
use super::sends::changed;
use super::waitings;
use crate::error::Error;
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::messenger::{Answered, Heard, OutgoingText, SendError, SendProblem};
use crate::ports::store::{StoreExt, UnitOfWork};
use crate::send_budgets::{BudgetKey, Room, WINDOW, seconds_of};
use crate::sends::{CLAIM_LEASE, Dead, Departing, LEASE_MARGIN, Send, SendId, SendState, Urgency};

/// How long after a try in vain the next one comes, if the service does not say; it doubles with every try.
const FIRST_REST: Duration = Duration::seconds(5);
/// The longest of these.
const LONGEST_REST: Duration = Duration::minutes(5);
/// How far our clock and that of LINE WORKS may be apart before theirs counts for what they accepted.
const CLOCKS_AGREE: Duration = Duration::minutes(1);

/// What there is to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// This one, which is 送信中 now.
    Taken(Box<Send>),
    /// Nothing may leave before this instant.
    Wait(Instant),
    /// Nothing is due.
    Nothing,
}

/// What became of a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Which one.
    pub id: SendId,
    /// How far it got; [`SendState::Queued`] if nothing left and it is tried again.
    pub state: SendState,
    /// Why it was not sent or is not sure.
    pub problem: Option<SendProblem>,
    /// When it is tried again.
    pub next_try_at: Option<Instant>,
    /// Whether a request left us.
    pub departed: bool,
    /// Seconds that the service asks to wait.
    pub wait: Option<u32>,
    /// What the answer said besides.
    pub heard: Heard,
}

impl Crm {
    /// Takes the most urgent message that may leave now and marks it 送信中 by `run`. Its departure is noted in the same
    /// unit of work, within the limit of LINE WORKS.
    pub async fn claim_message(&self, actor: &Actor, run: &str) -> Result<Claim, Error> {
        self.claim_urgent(actor, run, Urgency::Bulk).await
    }

    /// [`Crm::claim_message`] among those that are at least so urgent: for the place that is kept for them.
    pub async fn claim_urgent(&self, actor: &Actor, run: &str, least: Urgency) -> Result<Claim, Error> {
        self.may(actor, Action::DeliverMessages)?;
        let store = &self.ports.store;
        // After a restore nothing leaves until an administrator says so.
        let open = store
            .read(|unit| Ok::<_, Error>(unit.sends().sends_open()? && unit.backups().pause()?.is_none()));
        if !open.await? {
            return Ok(Claim::Nothing);
        }
        let messenger = self.ports.messengers.line_works();
        let budget = messenger.map(|messenger| (messenger.budget(), messenger.rate_limit()));
        let (run, clock) = (run.to_owned(), self.shared_clock());
        // Not repeated when uncertain: what was claimed unseen becomes 結果不明, never a second message.
        store
            .write(move |uow| {
                let at = clock.now(uow)?;
                match &budget {
                    Some((key, limit)) => claim(uow, &run, key, *limit, least, at),
                    // Without a messenger nothing leaves; each is told so.
                    None => Ok(taken(uow, &run, least, at)?.unwrap_or(Claim::Nothing)),
                }
            })
            .await
    }

    /// The clock that departures and tries go by.
    fn shared_clock(&self) -> SharedClock {
        SharedClock {
            ours: self.now(),
            several: self.ports.several_instances,
        }
    }

    /// Hands a claimed message to the messenger and waits for its answer. Directly before it leaves it is proved that `run`
    /// still has it, by a lease that outlasts the messenger's time-out; `None` when it is another's, and nothing left. What
    /// became of it is not stored: see
    /// [`Crm::settle_message`].
    pub async fn dispatch_message(&self, run: &str, send: &Send) -> Option<Delivered> {
        let messenger = self.ports.messengers.line_works();
        let Some(messenger) = messenger.filter(|messenger| messenger.bot() == send.to.bot) else {
            let error = SendError::NotSent {
                problem: SendProblem::NotConfigured,
                wait: None,
            };
            return Some(self.delivered(send, Answered::only(Err(error)), false));
        };
        let by = match messenger.prepare().await {
            Ok(by) => by,
            Err(error) => return Some(self.delivered(send, Answered::only(Err(error)), false)),
        };
        match self.depart(run, send.id, messenger.patience()).await {
            Ok(Departing::Leaves) => {}
            Ok(Departing::Lost) => return None,
            Ok(Departing::TooLate) | Err(_) => return Some(self.put_back(send)),
        }
        let text = OutgoingText {
            bot: send.to.bot.clone(),
            to: send.to.address.clone(),
            text: send.text.clone(),
        };
        let answered = messenger.send_text(&text, by).await;
        let left = !matches!(
            answered.outcome,
            Err(SendError::NotSent {
                problem: SendProblem::NoConnection,
                ..
            })
        );
        Some(self.delivered(send, answered, left))
    }

    async fn depart(&self, run: &str, id: SendId, patience: Duration) -> Result<Departing, Error> {
        let (run, clock) = (run.to_owned(), self.shared_clock());
        let lasts = patience + LEASE_MARGIN;
        self.change_again(move |uow| {
            let at = clock.now(uow)?;
            let departing = uow.edit_sends().depart_send(id, &run, at, lasts)?;
            if departing == Departing::Leaves {
                uow.edit_budgets().move_departure(id, at)?;
            }
            Ok(departing)
        })
        .await
    }

    fn delivered(&self, send: &Send, answered: Answered, departed: bool) -> Delivered {
        let Answered { outcome, heard } = answered;
        let again = outcome.as_ref().err().and_then(|error| again_in(send, error));
        let state = match &outcome {
            Ok(()) => SendState::Sent,
            Err(_) if again.is_some() => SendState::Queued,
            Err(SendError::NotSent { .. } | SendError::Refused(_)) => SendState::Failed,
            Err(SendError::Unknown(_)) => SendState::Unknown,
        };
        let error = outcome.err();
        Delivered {
            id: send.id,
            state,
            problem: error.as_ref().map(SendError::problem),
            next_try_at: again.map(|rest| self.now().plus(rest)),
            departed,
            wait: error.as_ref().and_then(SendError::wait),
            heard,
        }
    }

    /// The store could not prove that the message may leave, so it did not.
    fn put_back(&self, send: &Send) -> Delivered {
        Delivered {
            id: send.id,
            state: SendState::Queued,
            problem: None,
            next_try_at: Some(self.now().plus(FIRST_REST)),
            departed: false,
            wait: None,
            heard: Heard::default(),
        }
    }

    /// Notes what became of a message that `run` had on its way; to be repeated until it succeeds.
    pub async fn settle_message(
        &self,
        actor: &Actor,
        run: &str,
        send: &Send,
        delivered: &Delivered,
    ) -> Result<(), Error> {
        self.may(actor, Action::DeliverMessages)?;
        let messenger = self.ports.messengers.line_works();
        let budget = messenger.map(|messenger| messenger.budget());
        let (run, clock) = (run.to_owned(), self.shared_clock());
        let (send, delivered) = (send.clone(), delivered.clone());
        self.change_again(move |uow| {
            let at = clock.now(uow)?;
            settle(uow, &run, &send, &delivered, budget.as_ref(), at)
        })
        .await
    }

    /// Claims, dispatches and settles one message; `None` when nothing is due or may leave now. A program without a worker
    /// of its own calls this until it answers `None`.
    pub async fn deliver_next(&self, actor: &Actor, run: &str) -> Result<Option<Delivered>, Error> {
        let Claim::Taken(send) = self.claim_message(actor, run).await? else {
            return Ok(None);
        };
        let delivered = self.dispatch_message(run, &send).await;
        if let Some(delivered) = &delivered {
            self.settle_message(actor, run, &send, delivered).await?;
        }
        Ok(delivered)
    }

    /// Marks what runs that are proved dead had on their way as 結果不明, and says how many it were. With one server only the
    /// holder of the lock that a living run would hold may call this; with several, those are dead whose lease is over.
    pub async fn abandon_messages(&self, actor: &Actor, living_run: &str) -> Result<usize, Error> {
        self.may(actor, Action::DeliverMessages)?;
        let open = self
            .ports
            .store
            .read(|unit| Ok::<_, Error>(unit.sends().sends_open()?));
        if !open.await? {
            return Ok(0);
        }
        let messenger = self.ports.messengers.line_works();
        let request = messenger.map_or(CLAIM_LEASE, |messenger| messenger.patience());
        let (run, at, several) = (living_run.to_owned(), self.now(), self.ports.several_instances);
        let reason = SendProblem::Interrupted.code();
        self.change_again(move |uow| {
            let dead = if several {
                Dead::LeaseOver { request }
            } else {
                Dead::AllBut(&run)
            };
            let abandoned = uow.edit_sends().abandon_sends(dead, reason, at)?;
            for send in &abandoned {
                changed(uow, send, at)?;
            }
            Ok(abandoned.len())
        })
        .await
    }
}

/// By what clock departures are counted: with several instances that of the database, because theirs differ.
#[derive(Clone, Copy)]
struct SharedClock {
    ours: Instant,
    several: bool,
}

impl SharedClock {
    fn now(self, uow: &mut dyn UnitOfWork) -> Result<Instant, Error> {
        if self.several {
            return Ok(uow.leases().database_now()?);
        }
        Ok(self.ours)
    }
}

fn claim(
    uow: &mut dyn UnitOfWork,
    run: &str,
    key: &BudgetKey,
    limit: Option<u32>,
    wanted: Urgency,
    at: Instant,
) -> Result<Claim, Error> {
    uow.edit_budgets()
        .tidy_departures(key, at.minus(WINDOW * 2), at)?;
    let budget = uow.budgets().budget(key)?;
    let gone = uow.budgets().departures_since(key, at.minus(WINDOW))?;
    let (least, otherwise) = match budget.room(limit, &gone, at) {
        Room::None(until) => return Ok(Claim::Wait(until)),
        Room::People(until) => (Urgency::Message, Claim::Wait(until)),
        Room::Free => (Urgency::Bulk, Claim::Nothing),
    };
    let Some(claim) = taken(uow, run, least.min(wanted), at)? else {
        return Ok(otherwise);
    };
    if let Claim::Taken(send) = &claim {
        uow.edit_budgets().add_departure(key, send.id, at)?;
        uow.edit_budgets().keep_budget(key, &budget.departed(at))?;
    }
    Ok(claim)
}

fn taken(uow: &mut dyn UnitOfWork, run: &str, least: Urgency, at: Instant) -> Result<Option<Claim>, Error> {
    let Some(send) = uow.edit_sends().claim_send(run, least, at, CLAIM_LEASE)? else {
        return Ok(None);
    };
    changed(uow, &send, at)?;
    Ok(Some(Claim::Taken(Box::new(send))))
}

fn settle(
    uow: &mut dyn UnitOfWork,
    run: &str,
    send: &Send,
    delivered: &Delivered,
    budget: Option<&BudgetKey>,
    at: Instant,
) -> Result<(), Error> {
    let reason = delivered.problem.map(SendProblem::code);
    let sends = uow.edit_sends();
    let settled = match delivered.next_try_at {
        Some(next) => sends.requeue_send(send.id, run, reason, next)?,
        None => sends.finish_send(send.id, run, delivered.state, reason, at)?,
    };
    if !settled {
        return Ok(());
    }
    if delivered.departed {
        if let Some(key) = budget {
            let known = uow.budgets().budget(key)?;
            let known = known.heard(&delivered.heard, delivered.problem, delivered.wait, at);
            uow.edit_budgets().keep_budget(key, &known)?;
        }
    } else {
        uow.edit_budgets().remove_departure(send.id)?;
    }
    if delivered.state == SendState::Sent {
        // The line works: what waited for it need not wait longer.
        uow.edit_sends().wake_sends(&SendProblem::OF_THE_LINE)?;
        waitings::accepted(uow, send, agreed(delivered.heard.at, at))?;
    }
    changed(uow, send, at)
}

/// When LINE WORKS accepted it: by our clock, unless theirs says something else.
fn agreed(theirs: Option<Instant>, ours: Instant) -> Instant {
    theirs
        .filter(|theirs| theirs.since(ours).abs() > CLOCKS_AGREE)
        .unwrap_or(ours)
}

/// How long a message waits before it is tried again by itself; `None` if it is not: something may have left, or a person
/// has to act first.
fn again_in(send: &Send, error: &SendError) -> Option<Duration> {
    let SendError::NotSent { problem, wait } = error else {
        return None;
    };
    let by_itself = FIRST_REST * 2_i32.pow(send.tries.min(6));
    let asked = wait.map(seconds_of);
    match problem {
        SendProblem::NoConnection | SendProblem::TokenUnavailable => {
            Some(asked.unwrap_or(by_itself.min(LONGEST_REST)))
        }
        SendProblem::RateLimited => Some(asked.unwrap_or(WINDOW)),
        SendProblem::Unauthorized => {
            let first = send.reason.as_deref() != Some(problem.code());
            first.then_some(Duration::ZERO)
        }
        _ => None,
    }
}
