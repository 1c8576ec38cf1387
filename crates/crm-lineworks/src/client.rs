//! LINE WORKS behind the domain's port: requests wait on threads of their own, and never many at once.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use crm_domain::ports::host::Clock;
use crm_domain::ports::messenger::{Answered, Messenger, OutgoingText, SendError, SendProblem};
use crm_domain::ports::tokens::TokenShelf;
use crm_domain::send_budgets::BudgetKey;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;

use crate::callback::CallbackReader;
use crate::config::{ConfigError, LineWorksConfig};
use crate::directory::Directory;
use crate::outcome::ServiceTrouble;
use crate::service::Service;

/// How many requests may be on their way at once; others wait for their turn.
const AT_ONCE: usize = 8;
/// LINE WORKS' name of the operation that sends a message to a person; it has a limit of its own.
const SEND_TEXT: &str = "bot-user-message-send";

/// One bot of LINE WORKS: sends messages ([`Messenger`]) and reads callbacks
/// ([`Callbacks`](crm_domain::ports::callbacks::Callbacks)). Sending needs a tokio runtime; a request that has begun
/// ends by itself even if nobody waits for it any more.
pub struct LineWorks {
    pub(crate) reader: CallbackReader,
    pub(crate) directory: Directory,
    service: Arc<Service>,
    turns: Arc<Semaphore>,
    /// Messages do not wait behind questions.
    sending: Arc<Semaphore>,
}

/// Why a piece of blocking work gave no result.
pub(crate) enum NoResult {
    /// Its turn did not come in time.
    NoTurn,
    /// It did not begin: the program is ending.
    NotBegun,
    /// It broke off.
    BrokeOff,
}

impl LineWorks {
    /// Checks the settings, the private key among them, without touching the network.
    pub fn new(config: LineWorksConfig, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        Self::with_shelf(config, clock, None)
    }

    /// As [`LineWorks::new`]; its access tokens are shared with other instances by this shelf.
    pub fn sharing_tokens(
        config: LineWorksConfig,
        clock: Arc<dyn Clock>,
        shelf: Arc<dyn TokenShelf>,
    ) -> Result<Self, ConfigError> {
        Self::with_shelf(config, clock, Some(shelf))
    }

    fn with_shelf(
        config: LineWorksConfig,
        clock: Arc<dyn Clock>,
        shelf: Option<Arc<dyn TokenShelf>>,
    ) -> Result<Self, ConfigError> {
        let directory = Directory::new(&config, Arc::clone(&clock), shelf.as_ref())?;
        let service = Service::new(&config, clock, shelf)?;
        Ok(Self {
            directory,
            reader: CallbackReader::new(config),
            service: Arc::new(service),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            sending: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }

    /// Runs blocking work on a thread that may wait, within the time that a message may take in all.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Service, Instant) -> T + Send + 'static,
    ) -> Result<T, NoResult> {
        self.run_in(&self.turns, self.deadline(), work).await
    }

    async fn run_send<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Service, Instant) -> T + Send + 'static,
    ) -> Result<T, NoResult> {
        self.run_in(&self.sending, self.deadline(), work).await
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.service.total
    }

    async fn run_in<T: Send + 'static>(
        &self,
        turns: &Arc<Semaphore>,
        deadline: Instant,
        work: impl FnOnce(&Service, Instant) -> T + Send + 'static,
    ) -> Result<T, NoResult> {
        let turn = turn(turns, deadline).await?;
        let service = Arc::clone(&self.service);
        let running = tokio::task::spawn_blocking(move || {
            let result = work(&service, deadline);
            drop(turn);
            result
        });
        running.await.map_err(|error: JoinError| {
            if error.is_cancelled() {
                NoResult::NotBegun
            } else {
                NoResult::BrokeOff
            }
        })
    }

    /// The blocking half, for work that takes its own time and its own turns.
    pub(crate) fn service(&self) -> Arc<Service> {
        Arc::clone(&self.service)
    }

    /// The same for questions, where nothing is lost by a failure.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Service, Instant) -> Result<T, ServiceTrouble> + Send + 'static,
    ) -> Result<T, ServiceTrouble> {
        self.run(question).await.unwrap_or_else(|none| {
            Err(ServiceTrouble::unanswered(match none {
                NoResult::NoTurn => SendProblem::TimedOut,
                NoResult::NotBegun | NoResult::BrokeOff => SendProblem::Interrupted,
            }))
        })
    }
}

async fn turn(turns: &Arc<Semaphore>, deadline: Instant) -> Result<OwnedSemaphorePermit, NoResult> {
    let turn = Arc::clone(turns).acquire_owned();
    match tokio::time::timeout_at(deadline.into(), turn).await {
        Ok(Ok(turn)) => Ok(turn),
        Ok(Err(_)) | Err(_) => Err(NoResult::NoTurn),
    }
}

#[async_trait]
impl Messenger for LineWorks {
    fn bot(&self) -> String {
        self.service.bot.clone()
    }

    fn budget(&self) -> BudgetKey {
        BudgetKey {
            domain: self.service.domain.clone(),
            operation: SEND_TEXT.to_owned(),
        }
    }

    fn rate_limit(&self) -> Option<u32> {
        self.service.rate_limit
    }

    fn patience(&self) -> time::Duration {
        time::Duration::try_from(self.service.total).unwrap_or(time::Duration::MAX)
    }

    fn token_age(&self) -> Option<time::Duration> {
        self.service.token_age()
    }

    async fn prepare(&self) -> Result<Instant, SendError> {
        self.run_send(Service::prepare)
            .await
            .unwrap_or_else(|none| Err(unsent(&none)))?;
        Ok(self.deadline())
    }

    async fn send_text(&self, message: &OutgoingText, by: Instant) -> Answered {
        let message = message.clone();
        self.run_in(&self.sending, by, move |service, by| service.send(&message, by))
            .await
            .unwrap_or_else(|none| Answered::only(Err(unsent(&none))))
    }
}

fn unsent(none: &NoResult) -> SendError {
    match none {
        // It never left: the sentences for a time-out or an interruption would say that it may have arrived.
        NoResult::NoTurn | NoResult::NotBegun => SendError::NotSent {
            problem: SendProblem::NoConnection,
            wait: None,
        },
        NoResult::BrokeOff => SendError::Unknown(SendProblem::Interrupted),
    }
}
