//! The use cases: what the product does. HTML, JSON, the command line and foreign programs call the same ones.
//! Each decides permission first, reads the clock once and does one unit of work.

mod activities;
mod callbacks;
mod companies;
mod credentials;
mod customers;
mod events;
mod imports;
mod members;
mod recording;
mod sends;
mod sign_in;

use std::sync::Arc;

pub use callbacks::{CallbackTrial, Received, TrialStep};
pub use credentials::{SESSION_IDLE, SESSION_LIFE, SignedIn};
pub use customers::CustomerCheck;
pub use events::Events;
pub use imports::Imported;
pub use members::{LINK_LIFE, MemberForm, PASSWORD_MAX, PASSWORD_MIN};
pub use recording::{Recorded, RecordedCallback};
pub use sends::{Delivered, Recipient};
pub use sign_in::{SIGN_IN_TRIES, SIGN_IN_WINDOW, SignInForm};

use crate::error::Error;
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::callbacks::Callbacks;
use crate::ports::host::{Clock, Passwords, Secrets};
use crate::ports::messenger::Messengers;
use crate::ports::store::{OperationKey, Store, StoreError, StoreExt, UnitOfWork};

/// The world, as the use cases need it.
#[derive(Clone)]
pub struct Ports {
    /// The database.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness and hashing.
    pub secrets: Arc<dyn Secrets>,
    /// Password hashing.
    pub passwords: Arc<dyn Passwords>,
    /// How messages leave.
    pub messengers: Arc<dyn Messengers>,
    /// How callbacks are read.
    pub callbacks: Arc<dyn Callbacks>,
}

/// The product: every use case is a method.
#[derive(Clone)]
pub struct Crm {
    ports: Ports,
}

impl Crm {
    /// A CRM on these ports.
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// Whether the database takes what is written: one row is, always the same, because a full disk shows only then.
    pub async fn ready(&self) -> Result<(), Error> {
        const PROBE: OperationKey = *b"can it be stored";
        let at = self.now();
        self.ports
            .store
            .write(move |uow| Ok(uow.note_operation(&PROBE, at)?))
            .await
    }

    /// Whether messages can be sent at all: a bot is set up.
    pub fn can_send(&self) -> bool {
        self.ports.messengers.line_works().is_some()
    }

    /// Now, by the clock that all use cases go by.
    pub fn now(&self) -> Instant {
        self.ports.clock.now()
    }

    /// Runs a unit of work that has no key of its own: an uncertain outcome is looked up under a random one.
    async fn change<T, F>(&self, actor: &Actor, action: Action, mut work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnMut(&mut dyn UnitOfWork, Instant) -> Result<T, Error> + Send + 'static,
    {
        actor.may(action)?;
        let at = self.now();
        let mut key: OperationKey = [0; 16];
        self.ports.secrets.fill(&mut key);
        self.ports
            .store
            .write_noted(key, at, move |uow| work(uow, at))
            .await
    }

    /// Runs a unit of work that may be repeated without harm: when its outcome is uncertain it runs once more.
    async fn change_again<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(&mut dyn UnitOfWork) -> Result<T, Error> + Clone + Send + 'static,
    {
        match self.ports.store.write(work.clone()).await {
            Err(Error::Store(StoreError::Uncertain)) => self.ports.store.write(work).await,
            outcome => outcome,
        }
    }
}
