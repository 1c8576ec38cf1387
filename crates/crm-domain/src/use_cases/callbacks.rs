//! Callbacks: kept before they are answered, and the trial that shows an administrator each step (§5.5.1).

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use super::Crm;
use crate::error::Error;
use crate::permissions::{Action, Actor, Denied};
use crate::ports::callbacks::{
    CallbackHeaders, CallbackRefused, InboundEvent, SampleCallback, VerifiedCallback,
};
use crate::ports::quarantine::HeldReason;
use crate::ports::spool::SpoolError;
use crate::ports::store::{StoreError, StoreExt, UnitOfWork};
use crate::receipts::{Kept, NewReceipt, ReceiptId};

/// A callback as it came.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// Its headers.
    pub headers: CallbackHeaders<'a>,
    /// Its raw body.
    pub body: &'a [u8],
    /// Who sent it, as far as trusted proxies tell.
    pub from: Option<IpAddr>,
    /// Whether callbacks are taken from there.
    pub allowed: bool,
}

impl<'a> Arrival<'a> {
    /// From nowhere in particular, which is allowed.
    pub fn new(headers: CallbackHeaders<'a>, body: &'a [u8]) -> Self {
        Self {
            headers,
            body,
            from: None,
            allowed: true,
        }
    }
}

/// What became of a callback.
#[derive(Debug, Clone)]
pub enum Received {
    /// It is in the database and will be recorded within a moment.
    Kept(ReceiptId),
    /// It is in the spool, and is recorded once the database is back.
    Spooled(Detour),
    /// The same one was kept before.
    Duplicate,
    /// It does not count.
    Refused(CallbackRefused),
    /// It came from an address that is not allowed; whether its signature is right.
    OtherAddress {
        /// Its signature is right, so the list of addresses may be too short.
        signed: bool,
    },
}

/// Why a callback went to the spool.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Detour {
    /// The database did not answer in time.
    #[error("the database did not answer in time")]
    TooSlow,
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
    /// The database failed a moment ago, and has not been seen working since.
    #[error("the database is still away")]
    StillAway,
}

/// A callback that counts could be kept nowhere.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// Callbacks may not be recorded.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Neither the database nor the spool took it.
    #[error("neither the database nor the spool could take it ({store}; {spool})")]
    Nowhere {
        /// Why the database did not.
        store: Detour,
        /// Why the spool did not.
        spool: SpoolError,
    },
}

/// A step of the trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TrialStep {
    /// A bot with its secret is set up.
    Configured,
    /// The sample's signature is right.
    Verified,
    /// The body was understood.
    Interpreted,
    /// The database took it (and gave it back).
    Stored,
}

impl TrialStep {
    /// Every step in its order.
    pub const ALL: [Self; 4] = [Self::Configured, Self::Verified, Self::Interpreted, Self::Stored];

    /// Stable name: catalogue key `trial.<code>`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Configured => "configured",
            Self::Verified => "verified",
            Self::Interpreted => "interpreted",
            Self::Stored => "stored",
        }
    }
}

/// How far the sample got: the steps that worked, in order, and why the next one did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackTrial {
    /// The steps that worked.
    pub passed: Vec<TrialStep>,
    /// A code that says why the next step failed; `None` when all worked.
    pub failure: Option<&'static str>,
}

impl Crm {
    /// Keeps a callback whose signature is right, in the database, or in the spool when that fails or takes until
    /// `patience` ends. `Ok` means that the answer may be 200: it is on disk, or will never be wanted. While callbacks go to
    /// the spool, somebody has to call [`Crm::replay_spool`] again and again.
    pub async fn receive_callback(
        &self,
        arrival: Arrival<'_>,
        patience: impl Future<Output = ()> + Send,
    ) -> Result<Received, NotKept> {
        Actor::Platform.may(Action::RecordCallbacks)?;
        let verified = match self.ports.callbacks.verify(arrival.headers, arrival.body) {
            Ok(_) if !arrival.allowed => {
                self.hold(&arrival, HeldReason::OtherAddress);
                return Ok(Received::OtherAddress { signed: true });
            }
            Ok(verified) => verified,
            Err(_) if !arrival.allowed => return Ok(Received::OtherAddress { signed: false }),
            Err(refused) => {
                if refused == CallbackRefused::WrongSignature {
                    self.hold(&arrival, HeldReason::WrongSignature);
                }
                return Ok(Received::Refused(refused));
            }
        };
        self.door.signature_was_right();
        let receipt = Arc::new(self.receipt(verified, arrival.body));
        if self.door.store_is_away() {
            return self.keep_on_detour(&receipt, patience).await;
        }
        let store = match self.keep_in_store(&receipt, patience).await {
            Ok(received) => return Ok(received),
            Err(store) => store,
        };
        self.door.store_went_away();
        match self.ports.spool.keep(&receipt).await {
            Ok(()) => Ok(Received::Spooled(store)),
            Err(spool) => Err(NotKept::Nowhere { store, spool }),
        }
    }

    /// The database was away a moment ago: the spool first, and the database only where that fails.
    async fn keep_on_detour(
        &self,
        receipt: &Arc<NewReceipt>,
        patience: impl Future<Output = ()> + Send,
    ) -> Result<Received, NotKept> {
        let Err(spool) = self.ports.spool.keep(receipt).await else {
            return Ok(Received::Spooled(Detour::StillAway));
        };
        self.keep_in_store(receipt, patience)
            .await
            .map_err(|store| NotKept::Nowhere { store, spool })
    }

    /// Its key makes it safe to repeat, and a unit that goes through after all harmless.
    async fn keep_in_store(
        &self,
        receipt: &Arc<NewReceipt>,
        patience: impl Future<Output = ()> + Send,
    ) -> Result<Received, Detour> {
        let receipt = Arc::clone(receipt);
        let keeping = self.change_again(move |uow| Ok(uow.edit_receipts().keep_receipt(&receipt)?));
        match within(keeping, patience).await {
            Some(Ok(Kept::Added(id))) => Ok(Received::Kept(id)),
            Some(Ok(Kept::Existed)) => Ok(Received::Duplicate),
            Some(Err(Error::Store(error))) => Err(Detour::Store(error)),
            Some(Err(error)) => Err(Detour::Store(StoreError::unavailable(error))),
            None => Err(Detour::TooSlow),
        }
    }

    fn receipt(&self, verified: VerifiedCallback, body: &[u8]) -> NewReceipt {
        NewReceipt {
            bot: verified.bot,
            issued: verified.issued,
            digest: verified.digest,
            body: body.to_vec(),
            received_at: self.now(),
        }
    }

    /// Runs a signed sample of a reserved sender through the real path and undoes what it stored.
    pub async fn try_callback(&self, actor: &Actor) -> Result<CallbackTrial, Error> {
        self.may(actor, Action::Diagnose)?;
        let mut trial = CallbackTrial {
            passed: Vec::new(),
            failure: None,
        };
        trial.failure = self.run_trial(&mut trial.passed).await.err();
        Ok(trial)
    }

    async fn run_trial(&self, passed: &mut Vec<TrialStep>) -> Result<(), &'static str> {
        let at = self.now();
        let sample = self
            .ports
            .callbacks
            .sample(at)
            .ok_or(CallbackRefused::NotConfigured.code())?;
        passed.push(TrialStep::Configured);
        let headers = CallbackHeaders {
            bot_id: Some(&sample.bot_id),
            signature: Some(&sample.signature),
        };
        let verified = self
            .ports
            .callbacks
            .verify(headers, &sample.body)
            .map_err(CallbackRefused::code)?;
        passed.push(TrialStep::Verified);
        self.check_interpretation(&sample)?;
        passed.push(TrialStep::Interpreted);
        let receipt = NewReceipt {
            bot: verified.bot,
            issued: verified.issued,
            digest: verified.digest,
            body: sample.body,
            received_at: at,
        };
        let undone = self
            .ports
            .store
            .write(move |uow| keep_and_undo(uow, &receipt))
            .await;
        match undone {
            Ok(()) => Err("not_undone"),
            Err(Undone::AsMeant) => {
                passed.push(TrialStep::Stored);
                Ok(())
            }
            Err(Undone::Store(error)) => Err(error.code()),
        }
    }

    fn check_interpretation(&self, sample: &SampleCallback) -> Result<(), &'static str> {
        match self.ports.callbacks.interpret(&sample.body) {
            Ok(InboundEvent::Message(message)) if message.user == sample.sender => Ok(()),
            _ => Err("not_interpreted"),
        }
    }
}

/// What the work comes to, or `None` if the patience ends before.
pub(super) async fn within<T>(
    work: impl Future<Output = T>,
    patience: impl Future<Output = ()>,
) -> Option<T> {
    let (mut work, mut patience) = (pin!(work), pin!(patience));
    std::future::poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => patience.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// Why the trial's unit of work was rolled back.
enum Undone {
    AsMeant,
    Store(StoreError),
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn keep_and_undo(uow: &mut dyn UnitOfWork, receipt: &NewReceipt) -> Result<(), Undone> {
    uow.edit_receipts().keep_receipt(receipt)?;
    Err(Undone::AsMeant)
}
