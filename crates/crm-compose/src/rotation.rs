//! A whole rotation of the data keys, step by step.

use crm_domain::data_keys::DataKeyId;
use crm_domain::error::Error;
use crm_domain::permissions::Actor;
use crm_domain::ports::store::StoreError;
use crm_domain::ports::vault::KEPT_AFTER_RETIREMENT;
use crm_domain::use_cases::{ByKey, Crm, KeyStatus};

use crate::composition::Composition;

/// Passes over everything: the second finds what came in during the first.
const PASSES: u32 = 3;

/// What a rotation did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotated {
    /// Whether a new data key was made; otherwise an interrupted rotation was gone on with.
    pub fresh: bool,
    /// Values sealed anew.
    pub values: u64,
    /// Files sealed anew.
    pub files: u64,
    /// Values and files that do not open and were left as they are.
    pub broken: u64,
    /// Data keys forgotten.
    pub forgotten: Vec<DataKeyId>,
    /// Older data keys that are still there.
    pub kept: usize,
}

/// Why a rotation did not come to its end; what it did stays, and the next one goes on.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// Another program is at it.
    #[error("another rotation is at work")]
    AtWork,
    /// A use case failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl Composition {
    /// How things stand with the keys.
    pub async fn key_status(&self, actor: &Actor) -> Result<KeyStatus, Error> {
        let files = files(&self.crm, actor).await?;
        self.crm.key_status(actor, files).await
    }

    /// Makes a new data key, seals everything anew and forgets the keys that nothing uses. A running server goes on; the
    /// key it may still seal with is kept for some minutes and forgotten by the server itself, or by the next rotation.
    pub async fn rotate_keys(&self, actor: &Actor) -> Result<Rotated, RotationError> {
        let lock = self.place.lock_rotation().await.map_err(Error::from)?;
        let _lock = lock.ok_or(RotationError::AtWork)?;
        let status = self.key_status(actor).await?;
        let mut rotated = Rotated {
            fresh: self.crm.begin_rotation(actor, &status).await?,
            ..Rotated::default()
        };
        keep_file_keys(&self.crm, actor).await?;
        for _ in 0..PASSES {
            if !pass(&self.crm, actor, &mut rotated).await? {
                break;
            }
        }
        // While no server runs nobody seals with an older key any more.
        let alone = self.lock_store().await;
        let mut before = self.crm.now();
        if alone.is_err() {
            before = before.minus(KEPT_AFTER_RETIREMENT);
        }
        let used = files(&self.crm, actor).await?;
        rotated.forgotten = self.crm.forget_keys(actor, before, used).await?;
        rotated.kept = keep_file_keys(&self.crm, actor).await?.saturating_sub(1);
        Ok(rotated)
    }
}

/// Whether anything was sealed anew.
async fn pass(crm: &Crm, actor: &Actor, sums: &mut Rotated) -> Result<bool, Error> {
    let values = crm.reseal_values(actor).await?;
    let (mut files, mut broken, mut after) = (0, 0, None);
    loop {
        let (by, actor) = (crm.clone(), actor.clone());
        let round = apart(move || by.reseal_files(&actor, after)).await?;
        files += round.count;
        broken += round.broken;
        after = round.last;
        if after.is_none() {
            break;
        }
    }
    sums.values += values.count;
    sums.files += files;
    sums.broken = values.broken + broken;
    Ok(values.count + files > 0)
}

async fn files(crm: &Crm, actor: &Actor) -> Result<ByKey, Error> {
    let (crm, actor) = (crm.clone(), actor.clone());
    apart(move || crm.files_by_key(&actor)).await
}

/// Keeps the wrapped data keys beside the files, and says how many there are.
async fn keep_file_keys(crm: &Crm, actor: &Actor) -> Result<usize, Error> {
    let keys = crm.data_keys(actor).await?;
    let (crm, actor) = (crm.clone(), actor.clone());
    apart(move || crm.keep_file_keys(&actor, &keys).map(|()| keys.len())).await
}

/// Runs what blocks on the disk.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|failed| Err(StoreError::unavailable(failed).into()))
}

#[cfg(test)]
mod tests;
