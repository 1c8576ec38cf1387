//! A messenger that sends nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use async_trait::async_trait;
use crm_domain::ports::messenger::{Answered, Heard, Messenger, Messengers, OutgoingText, SendError};
use crm_domain::send_budgets::BudgetKey;
use tokio::sync::Semaphore;

use super::lock;

/// Records what it is given to send and answers by a script; `Ok` when the script is at its end.
#[derive(Debug)]
pub struct FakeMessenger {
    bot: String,
    sent: Mutex<Vec<OutgoingText>>,
    script: Mutex<VecDeque<Answered>>,
    unprepared: Mutex<VecDeque<SendError>>,
    limit: Mutex<Option<u32>>,
    gate: Semaphore,
}

/// How long a message may take.
const PATIENCE: time::Duration = time::Duration::seconds(30);

/// As good as endless: what a gate that stands open lets through.
const OPEN: usize = 1_000_000;

impl FakeMessenger {
    /// Speaks for this bot.
    pub fn new(bot: &str) -> Self {
        Self {
            bot: bot.to_owned(),
            sent: Mutex::default(),
            script: Mutex::default(),
            unprepared: Mutex::default(),
            limit: Mutex::default(),
            gate: Semaphore::new(OPEN),
        }
    }

    /// Adds an answer to the script.
    pub fn answer(&self, outcome: Result<(), SendError>) {
        lock(&self.script).push_back(Answered::only(outcome));
    }

    /// Adds an answer with what its headers say to the script.
    pub fn answer_saying(&self, outcome: Result<(), SendError>, heard: Heard) {
        lock(&self.script).push_back(Answered { outcome, heard });
    }

    /// The next message finds no token.
    pub fn fail_to_prepare(&self, error: SendError) {
        lock(&self.unprepared).push_back(error);
    }

    /// From now on the settings allow so many messages a minute.
    pub fn limit_to(&self, a_minute: u32) {
        *lock(&self.limit) = Some(a_minute);
    }

    /// What it was given to send, oldest first, whatever it answered.
    pub fn sent(&self) -> Vec<OutgoingText> {
        lock(&self.sent).clone()
    }

    /// The texts of [`Self::sent`].
    pub fn texts(&self) -> Vec<String> {
        self.sent().into_iter().map(|message| message.text).collect()
    }

    /// From now on answers wait until [`Self::release`].
    pub fn hold(&self) {
        self.gate.forget_permits(OPEN);
    }

    /// Lets the answers go that [`Self::hold`] holds back.
    pub fn release(&self) {
        self.gate.add_permits(OPEN - self.gate.available_permits());
    }
}

#[async_trait]
impl Messenger for FakeMessenger {
    fn bot(&self) -> String {
        self.bot.clone()
    }

    fn budget(&self) -> BudgetKey {
        BudgetKey {
            domain: "40000001".to_owned(),
            operation: "send".to_owned(),
        }
    }

    fn rate_limit(&self) -> Option<u32> {
        *lock(&self.limit)
    }

    fn patience(&self) -> time::Duration {
        PATIENCE
    }

    async fn prepare(&self) -> Result<Instant, SendError> {
        let by = Instant::now() + PATIENCE;
        lock(&self.unprepared).pop_front().map_or(Ok(by), Err)
    }

    async fn send_text(&self, message: &OutgoingText, _by: Instant) -> Answered {
        lock(&self.sent).push(message.clone());
        let scripted = lock(&self.script).pop_front();
        let outcome = scripted.unwrap_or(Answered::only(Ok(())));
        let _pass = self.gate.acquire().await.expect("the gate is never closed");
        outcome
    }
}

/// Hands out one messenger, or none.
#[derive(Debug, Default)]
pub struct FakeMessengers(Mutex<Option<Arc<FakeMessenger>>>);

impl FakeMessengers {
    /// With this one.
    pub fn with(messenger: Arc<FakeMessenger>) -> Self {
        Self(Mutex::new(Some(messenger)))
    }

    /// Nothing is set up.
    pub fn none() -> Self {
        Self::default()
    }

    /// Changes what is set up.
    pub fn set(&self, messenger: Option<Arc<FakeMessenger>>) {
        *lock(&self.0) = messenger;
    }
}

impl Messengers for FakeMessengers {
    fn line_works(&self) -> Option<Arc<dyn Messenger>> {
        lock(&self.0)
            .as_ref()
            .map(|messenger| Arc::clone(messenger) as Arc<dyn Messenger>)
    }
}
