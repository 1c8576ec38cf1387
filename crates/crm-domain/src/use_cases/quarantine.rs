//! Callbacks that do not count but may be real: held apart, and looked at again once somebody has mended the settings.

use std::net::IpAddr;

use super::Crm;
use super::callbacks::Arrival;
use crate::audit::{Act, Deed};
use crate::error::Error;
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::callbacks::CallbackHeaders;
use crate::ports::quarantine::{HeldCallback, HeldId, HeldReason, QuarantineError};
use crate::ports::store::StoreError;
use crate::receipts::NewReceipt;

/// The longest header that is held, in bytes.
const HEADER: usize = 256;
/// How many are recorded in one unit of work.
const BATCH: usize = 64;

/// What looking again at the held ones came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rechecked {
    /// How many were held.
    pub rechecked: usize,
    /// How many are right now and were given to the recorder.
    pub recorded: usize,
    /// How many are right now and had been kept before.
    pub existed: usize,
    /// How many are wrong still; they stay.
    pub still_wrong: usize,
}

/// What is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeldSummary {
    /// With a wrong signature.
    pub wrong_signature: usize,
    /// Rightly signed, from an address that is not allowed.
    pub other_address: usize,
    /// When the newest came.
    pub newest: Option<Instant>,
    /// How many of those with a wrong signature came after the newest callback that counted.
    pub since_success: usize,
}

impl Crm {
    /// Holds a callback if it may be one of ours. Costs a stranger's flood next to nothing: what is not admitted is not even
    /// read.
    pub(super) fn hold(&self, arrival: &Arrival<'_>, reason: HeldReason) {
        let Some((bot_id, signature)) = arrival.headers.bot_id.zip(arrival.headers.signature) else {
            return;
        };
        let quarantine = &self.ports.quarantine;
        let short = bot_id.len() <= HEADER && signature.len() <= HEADER;
        if reason == HeldReason::OtherAddress {
            self.door.came_from_elsewhere();
        }
        if !short || !quarantine.admits(arrival.from, arrival.body.len()) {
            return;
        }
        if !self.ports.callbacks.may_be_ours(arrival.headers, arrival.body) {
            return;
        }
        if reason == HeldReason::WrongSignature {
            self.door.signature_was_wrong();
        }
        quarantine.hold(HeldCallback {
            reason,
            bot_id: bot_id.to_owned(),
            signature: signature.to_owned(),
            body: arrival.body.to_vec(),
            from: arrival.from,
            at: self.now(),
        });
    }

    /// Verifies again what is held and keeps what is right now, each once: the unique key decides. `allowed` says from where
    /// callbacks are taken.
    pub async fn recheck_callbacks(
        &self,
        actor: &Actor,
        allowed: impl Fn(IpAddr) -> bool + Send,
    ) -> Result<Rechecked, Error> {
        self.may(actor, Action::Diagnose)?;
        let held = self.held(self.now()).await?;
        let mut outcome = Rechecked {
            rechecked: held.len(),
            ..Rechecked::default()
        };
        let mut right = Vec::new();
        for (id, callback) in held {
            match self.verified_again(&callback, &allowed) {
                Some(receipt) => right.push((id, receipt)),
                None => outcome.still_wrong += 1,
            }
        }
        while !right.is_empty() {
            let batch = right.drain(..BATCH.min(right.len())).collect();
            let (added, existed) = self.keep_held(batch).await?;
            outcome.recorded += added;
            outcome.existed += existed;
        }
        let told = outcome.recorded.to_string();
        let deed = Deed::of(Act::CallbacksRechecked).value("callbacks", None, Some(told));
        self.log(actor, Action::Diagnose, deed).await?;
        Ok(outcome)
    }

    /// What is held, in numbers.
    pub async fn held_callbacks(&self, actor: &Actor) -> Result<HeldSummary, Error> {
        self.may(actor, Action::Diagnose)?;
        let success = crate::ports::store::StoreExt::read(self.ports.store.as_ref(), |unit| {
            Ok::<_, Error>(unit.receipts().last_received()?)
        })
        .await?;
        let mut summary = HeldSummary::default();
        for (_, callback) in self.held(self.now()).await? {
            summary.newest = summary.newest.max(Some(callback.at));
            match callback.reason {
                HeldReason::OtherAddress => summary.other_address += 1,
                HeldReason::WrongSignature => {
                    summary.wrong_signature += 1;
                    summary.since_success += usize::from(Some(callback.at) > success);
                }
            }
        }
        Ok(summary)
    }

    async fn held(&self, now: Instant) -> Result<Vec<(HeldId, HeldCallback)>, Error> {
        self.ports.quarantine.held(now).await.map_err(unavailable)
    }

    /// The receipt of a held callback that counts by now.
    fn verified_again(
        &self,
        held: &HeldCallback,
        allowed: &(impl Fn(IpAddr) -> bool + Send),
    ) -> Option<NewReceipt> {
        if !held.from.is_none_or(allowed) {
            return None;
        }
        let headers = CallbackHeaders {
            bot_id: Some(&held.bot_id),
            signature: Some(&held.signature),
        };
        let verified = self.ports.callbacks.verify(headers, &held.body).ok()?;
        Some(NewReceipt {
            bot: verified.bot,
            issued: verified.issued,
            digest: verified.digest,
            body: held.body.clone(),
            received_at: held.at,
        })
    }

    /// Keeps these and lets the quarantine forget them afterwards; how many were added and how many were there already.
    async fn keep_held(&self, batch: Vec<(HeldId, NewReceipt)>) -> Result<(usize, usize), Error> {
        let (ids, receipts): (Vec<HeldId>, Vec<NewReceipt>) = batch.into_iter().unzip();
        let count = ids.len();
        let added = self.keep_late(receipts).await?;
        self.ports.quarantine.release(ids).await.map_err(unavailable)?;
        Ok((added, count - added))
    }
}

fn unavailable(error: QuarantineError) -> Error {
    Error::Store(StoreError::unavailable(error))
}
