//! LINE WORKS behind the domain's port: requests wait on threads of their own, and never many at once.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use crm_domain::ports::host::Clock;
use crm_domain::ports::messenger::{Messenger, OutgoingText, SendError, SendProblem};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;

use crate::callback::CallbackReader;
use crate::config::{ConfigError, LineWorksConfig};
use crate::outcome::ServiceTrouble;
use crate::service::Service;

/// How many requests may be on their way at once; others wait for their turn.
const AT_ONCE: usize = 8;

/// One bot of LINE WORKS: sends messages ([`Messenger`]) and reads callbacks
/// ([`Callbacks`](crm_domain::ports::callbacks::Callbacks)). Sending needs a tokio runtime; a request that has begun
/// ends by itself even if nobody waits for it any more.
pub struct LineWorks {
    pub(crate) reader: CallbackReader,
    service: Arc<Service>,
    turns: Arc<Semaphore>,
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
        let service = Service::new(&config, clock)?;
        Ok(Self {
            reader: CallbackReader::new(config),
            service: Arc::new(service),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }

    /// Runs blocking work on a thread that may wait, within the time that a message may take in all.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Service, Instant) -> T + Send + 'static,
    ) -> Result<T, NoResult> {
        let deadline = Instant::now() + self.service.total;
        let turn = self.turn(deadline).await?;
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

    async fn turn(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, NoResult> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        match tokio::time::timeout_at(deadline.into(), turn).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(NoResult::NoTurn),
        }
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

#[async_trait]
impl Messenger for LineWorks {
    fn bot(&self) -> String {
        self.service.bot.clone()
    }

    async fn send_text(&self, message: &OutgoingText) -> Result<(), SendError> {
        let message = message.clone();
        let sent = self
            .run(move |service, deadline| service.send(&message, deadline))
            .await;
        sent.unwrap_or_else(|none| {
            Err(match none {
                // It never left: the sentences for a time-out or an interruption would say that it may have arrived.
                NoResult::NoTurn | NoResult::NotBegun => SendError::NotSent {
                    problem: SendProblem::NoConnection,
                    wait: None,
                },
                NoResult::BrokeOff => SendError::Unknown(SendProblem::Interrupted),
            })
        })
    }
}
