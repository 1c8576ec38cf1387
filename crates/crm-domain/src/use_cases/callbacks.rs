//! Callbacks: kept before they are answered, and the trial that shows an administrator each step (§5.5.1).

use super::Crm;
use crate::error::Error;
use crate::permissions::{Action, Actor};
use crate::ports::callbacks::{CallbackHeaders, CallbackRefused, InboundEvent, SampleCallback};
use crate::ports::store::{StoreError, StoreExt, UnitOfWork};
use crate::receipts::{Kept, NewReceipt, ReceiptId};

/// What became of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// It is on disk now and will be recorded within a moment.
    Kept(ReceiptId),
    /// The same one was kept before.
    Duplicate,
    /// It does not count.
    Refused(CallbackRefused),
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
    /// Keeps a callback whose signature is right. `Ok` means that the answer may be 200: it is on disk, or will never be
    /// wanted. An error means that nothing could be kept.
    pub async fn receive_callback(
        &self,
        headers: CallbackHeaders<'_>,
        body: &[u8],
    ) -> Result<Received, Error> {
        Actor::Platform.may(Action::RecordCallbacks)?;
        let verified = match self.ports.callbacks.verify(headers, body) {
            Ok(verified) => verified,
            Err(refused) => return Ok(Received::Refused(refused)),
        };
        let receipt = NewReceipt {
            bot: verified.bot,
            issued: verified.issued,
            digest: verified.digest,
            body: body.to_vec(),
            received_at: self.now(),
        };
        // Its key makes it safe to repeat.
        match self
            .change_again(move |uow| Ok(uow.edit_receipts().keep_receipt(&receipt)?))
            .await?
        {
            Kept::Added(id) => Ok(Received::Kept(id)),
            Kept::Existed => Ok(Received::Duplicate),
        }
    }

    /// Runs a signed sample of a reserved sender through the real path and undoes what it stored.
    pub async fn try_callback(&self, actor: &Actor) -> Result<CallbackTrial, Error> {
        actor.may(Action::Diagnose)?;
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
