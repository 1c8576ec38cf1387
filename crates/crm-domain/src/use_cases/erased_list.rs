//! The list of the erased: in the store for all its servers, and outside it for restores. What comes into the store late, out of
//! a spool or the quarantine of any server, is compared with it.

use std::sync::Arc;

use super::Crm;
use super::erasing::not_listed;
use crate::error::Error;
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::erased::{Erased, ErasedKey};
use crate::ports::host::Secrets;
use crate::ports::quarantine::HeldId;
use crate::ports::store::{StoreError, StoreExt as _, UnitOfWork};
use crate::receipts::{Kept, NewReceipt};

/// No LINE WORKS user id is longer, in bytes.
const LONGEST_ID: usize = 100;

impl Crm {
    /// Brings the list of the erased in the store and the one outside it together: each server of a store keeps the whole list
    /// outside, whichever erased somebody, and takes them out of its own quarantine. Says how many were missing outside.
    pub async fn keep_erased_list(&self, actor: &Actor) -> Result<usize, Error> {
        self.may(actor, Action::KeepHouse)?;
        let outside = self.ports.erased.all().await.map_err(not_listed)?;
        let inside = self.ports.store.read(|unit| unit.erasures().listed_erased());
        let inside: Vec<Erased> = inside.await.map_err(Error::Store)?;
        let missing: Vec<Erased> = inside
            .iter()
            .filter(|one| !outside.contains(one))
            .cloned()
            .collect();
        if !missing.is_empty() {
            // First: whoever is on the list outside is not looked for again.
            self.release_erased(&missing).await?;
            self.ports.erased.add(&missing).await.map_err(not_listed)?;
        }
        let unknown: Vec<Erased> = outside.into_iter().filter(|one| !inside.contains(one)).collect();
        if !unknown.is_empty() {
            self.change_again(move |uow| Ok(uow.edit_erasures().list_erased(&unknown)?))
                .await?;
        }
        Ok(missing.len())
    }

    /// Lets the quarantine of this server forget what names them and came before they were erased.
    async fn release_erased(&self, erased: &[Erased]) -> Result<(), Error> {
        let failed = |error| Error::Store(StoreError::unavailable(error));
        let gone = self.gone_people(erased);
        let held = self.ports.quarantine.held(self.now()).await.map_err(failed)?;
        let theirs: Vec<HeldId> = held
            .into_iter()
            .filter(|(_, held)| gone.are_named(&held.body, held.at))
            .map(|(id, _)| id)
            .collect();
        if theirs.is_empty() {
            return Ok(());
        }
        self.ports.quarantine.release(theirs).await.map_err(failed)
    }

    fn gone_people(&self, erased: &[Erased]) -> GonePeople {
        GonePeople::of(&self.ports.secrets, erased)
    }

    /// Keeps callbacks that came some time ago; says how many were not kept before. Of those that name somebody who was erased
    /// since they came nothing stays but that they came.
    pub(super) async fn keep_late(&self, receipts: Vec<NewReceipt>) -> Result<usize, Error> {
        let (receipts, secrets, at) = (Arc::new(receipts), Arc::clone(&self.ports.secrets), self.now());
        self.change_again(move |uow| Ok(keep_late(uow, &secrets, &receipts, at)?))
            .await
    }
}

fn keep_late(
    uow: &mut dyn UnitOfWork,
    secrets: &Arc<dyn Secrets>,
    receipts: &[NewReceipt],
    at: Instant,
) -> Result<usize, StoreError> {
    let gone = GonePeople::of(secrets, &uow.erasures().listed_erased()?);
    let (mut added, mut theirs) = (0, Vec::new());
    for receipt in receipts {
        if let Kept::Added(id) = uow.edit_receipts().keep_receipt(receipt)? {
            added += 1;
            if gone.are_named(&receipt.body, receipt.received_at) {
                theirs.push(id);
            }
        }
    }
    if !theirs.is_empty() {
        uow.edit_erasures().empty_receipts(&theirs, at)?;
    }
    Ok(added)
}

/// People who were erased, known by hashes only.
struct GonePeople {
    secrets: Arc<dyn Secrets>,
    hashes: Vec<([u8; 32], Instant)>,
}

impl GonePeople {
    fn of(secrets: &Arc<dyn Secrets>, erased: &[Erased]) -> Self {
        let hashes = erased.iter().filter_map(|one| match one.key {
            ErasedKey::Address(hash) => Some((hash, one.at)),
            ErasedKey::Customer(_) => None,
        });
        Self {
            secrets: Arc::clone(secrets),
            hashes: hashes.collect(),
        }
    }

    /// Whether a callback that came at this time names one who was erased since: one of its texts is their user id. Whoever
    /// writes after that is somebody new.
    fn are_named(&self, body: &[u8], came: Instant) -> bool {
        if self.hashes.iter().all(|(_, at)| *at < came) {
            return false;
        }
        let texts = body.split(|byte| *byte == b'"' || byte.is_ascii_whitespace());
        texts
            .filter(|text| (1..=LONGEST_ID).contains(&text.len()))
            .filter_map(|text| std::str::from_utf8(text).ok())
            .any(|text| {
                let hash = self.secrets.hash(format!("user:{text}").as_bytes());
                self.hashes.iter().any(|(gone, at)| *gone == hash && *at >= came)
            })
    }
}
