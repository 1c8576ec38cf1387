//! Rotating data keys: a new one seals from now on, what stands under older ones is sealed anew in small units, and keys
//! that nothing uses are forgotten. Every step may be interrupted and repeated, by several programs at once too.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Crm;
use crate::audit::{Act, Deed, Did};
use crate::data_keys::{DataKey, DataKeyId, SEALED_COLUMNS, SealedColumn, SealedRow};
use crate::error::Error;
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::blobs::{BlobError, BlobHash, Resealed};
use crate::ports::store::{ReadUnit, StoreError, StoreExt as _};
use crate::ports::vault::{Vault, VaultError};

/// Envelopes looked at in one unit.
const ROWS: usize = 100;
/// Files looked at in one round.
const FILES: usize = 20;

/// Things by the data key that sealed them; `None`: not sealed, or no envelope at all.
pub type ByKey = BTreeMap<Option<DataKeyId>, u64>;

/// How a data key is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// The key.
    pub key: DataKey,
    /// Values in the database that it sealed.
    pub values: u64,
    /// Files that it sealed.
    pub files: u64,
}

/// How things stand with the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStatus {
    /// The fingerprint of the secret key; `None` before anything was sealed.
    pub fingerprint: Option<Vec<u8>>,
    /// The data keys, the one that seals first.
    pub keys: Vec<KeyUse>,
    /// Files that are not sealed: from before files were.
    pub plain_files: u64,
    /// Values and files whose data key is not there, and values that are no envelopes.
    pub lost: u64,
}

impl KeyStatus {
    /// Whether something stands under a key that seals no more, or under none.
    pub fn has_leftovers(&self) -> bool {
        self.plain_files > 0 || self.retired().any(|used| used.values + used.files > 0)
    }

    fn retired(&self) -> impl Iterator<Item = &KeyUse> {
        self.keys.iter().filter(|used| used.key.retired_at.is_some())
    }
}

/// What a pass over the values did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResealedValues {
    /// Values sealed anew.
    pub count: u64,
    /// Values that do not open and were left as they are.
    pub broken: u64,
}

impl Crm {
    /// Files by the data key that sealed them. Blocks on the disk.
    pub fn files_by_key(&self, actor: &Actor) -> Result<ByKey, Error> {
        self.may(actor, Action::KeepHouse)?;
        self.ports.blobs.counts().map_err(of_blob)
    }

    /// How things stand, with what [`Crm::files_by_key`] counted.
    pub async fn key_status(&self, actor: &Actor, files: ByKey) -> Result<KeyStatus, Error> {
        self.may(actor, Action::KeepHouse)?;
        let vault = Arc::clone(&self.ports.vault);
        let read = self.ports.store.read(move |unit| {
            let (fingerprint, keys) = (unit.data_keys().key_fingerprint()?, unit.data_keys().data_keys()?);
            Ok::<_, StoreError>((fingerprint, keys, values_by_key(unit, vault.as_ref())?))
        });
        let (fingerprint, keys, mut values) = read.await?;
        let mut files = files;
        let plain_files = files.remove(&None).unwrap_or_default();
        let mut used = |key: DataKey| KeyUse {
            values: values.remove(&Some(key.id)).unwrap_or_default(),
            files: files.remove(&Some(key.id)).unwrap_or_default(),
            key,
        };
        Ok(KeyStatus {
            fingerprint,
            keys: keys.into_iter().map(&mut used).collect(),
            plain_files,
            lost: values.values().chain(files.values()).sum(),
        })
    }

    /// Makes a new data key that seals from now on; not if an earlier rotation has left something to do, or if somebody
    /// else makes one at this moment: then that one is gone on with. Says whether it was made.
    pub async fn begin_rotation(&self, actor: &Actor, status: &KeyStatus) -> Result<bool, Error> {
        self.may(actor, Action::KeepHouse)?;
        let sealing = status.keys.iter().find(|used| used.key.retired_at.is_none());
        if sealing.is_some() && status.keys.len() > 1 && status.has_leftovers() {
            return Ok(false);
        }
        let before = sealing.map(|used| used.key.id);
        let key = self.ports.vault.new_data_key(self.now())?;
        self.act(actor, Action::KeepHouse, move |uow, _| {
            let added = uow.edit_data_keys().add_data_key(&key, before)?;
            let names = (before.map(|id| id.to_string()), Some(key.id.to_string()));
            let entry = Deed::of(Act::KeysRotated).value("data_key", names.0, names.1);
            Ok(Did {
                result: added,
                entries: if added { vec![entry] } else { Vec::new() },
            })
        })
        .await
    }

    /// Seals every value anew that the data key of now did not seal.
    pub async fn reseal_values(&self, actor: &Actor) -> Result<ResealedValues, Error> {
        self.may(actor, Action::KeepHouse)?;
        let mut sums = ResealedValues::default();
        for column in SEALED_COLUMNS {
            let mut after: Option<String> = None;
            loop {
                let from = after.take();
                let read = self
                    .ports
                    .store
                    .read(move |unit| unit.data_keys().sealed_rows(column, from.as_deref(), ROWS));
                let rows: Vec<SealedRow> = read.await?;
                let Some(last) = rows.last() else { break };
                after = Some(last.key.clone());
                let done = self.reseal_rows(column, rows).await?;
                sums.count += done.count;
                sums.broken += done.broken;
            }
        }
        Ok(sums)
    }

    async fn reseal_rows(
        &self,
        column: &'static SealedColumn,
        rows: Vec<SealedRow>,
    ) -> Result<ResealedValues, Error> {
        let sealing = self.ports.vault.sealing_key()?;
        let mut done = ResealedValues::default();
        let mut fresh = Vec::new();
        for row in rows {
            match anew(self.ports.vault.as_ref(), sealing, column, &row) {
                Ok(Some(sealed)) => fresh.push((row, sealed)),
                Ok(None) => {}
                Err(VaultError::Unavailable) => return Err(VaultError::Unavailable.into()),
                Err(_) => done.broken += 1,
            }
        }
        if fresh.is_empty() {
            return Ok(done);
        }
        // An envelope that somebody replaced meanwhile is left: it is under a newer key, or the next pass finds it. So is
        // everything if the key that sealed was forgotten meanwhile.
        let replaced = self.change_again(move |uow| {
            let mut count = 0;
            if uow.data_keys().data_keys()?.iter().all(|key| key.id != sealing) {
                return Ok(count);
            }
            for (row, sealed) in &fresh {
                count += u64::from(uow.edit_data_keys().reseal_row(column, row, sealed)?);
            }
            Ok(count)
        });
        done.count = replaced.await?;
        Ok(done)
    }

    /// Seals some files anew, those behind `after`; see [`crate::ports::blobs::Blobs::reseal`]. Blocks on the disk.
    pub fn reseal_files(&self, actor: &Actor, after: Option<BlobHash>) -> Result<Resealed, Error> {
        self.may(actor, Action::KeepHouse)?;
        self.ports.blobs.reseal(after, FILES).map_err(of_blob)
    }

    /// Forgets data keys that were retired before this instant and that nothing uses, with what [`Crm::files_by_key`]
    /// counted since; says which.
    pub async fn forget_keys(
        &self,
        actor: &Actor,
        retired_before: Instant,
        files: ByKey,
    ) -> Result<Vec<DataKeyId>, Error> {
        let vault = Arc::clone(&self.ports.vault);
        self.act(actor, Action::KeepHouse, move |uow, _| {
            let values = values_by_key(uow, vault.as_ref())?;
            let unused = |key: &DataKey| {
                let id = Some(key.id);
                !values.contains_key(&id) && !files.contains_key(&id)
            };
            let mut forgotten = Vec::new();
            for key in uow.data_keys().data_keys()? {
                let over = key.retired_at.is_some_and(|at| at <= retired_before);
                if over && unused(&key) && uow.edit_data_keys().forget_data_key(key.id)? {
                    forgotten.push(key.id);
                }
            }
            let gone =
                |id: &DataKeyId| Deed::of(Act::KeysRotated).value("data_key", Some(id.to_string()), None);
            let entries = forgotten.iter().map(gone).collect();
            Ok(Did {
                result: forgotten,
                entries,
            })
        })
        .await
    }

    /// Keeps the wrapped data keys beside the files that they sealed. Blocks on the disk.
    pub fn keep_file_keys(&self, actor: &Actor, keys: &[DataKey]) -> Result<(), Error> {
        self.may(actor, Action::KeepHouse)?;
        self.ports.blobs.keep_keys(keys).map_err(of_blob)
    }

    /// All data keys, the one that seals first.
    pub async fn data_keys(&self, actor: &Actor) -> Result<Vec<DataKey>, Error> {
        self.may(actor, Action::KeepHouse)?;
        Ok(self.ports.store.read(|unit| unit.data_keys().data_keys()).await?)
    }
}

/// The value's new envelope; `None` if it is under the key that seals.
fn anew(
    vault: &dyn Vault,
    sealing: DataKeyId,
    column: &SealedColumn,
    row: &SealedRow,
) -> Result<Option<Vec<u8>>, VaultError> {
    if vault.data_key_of(&row.sealed)? == sealing {
        return Ok(None);
    }
    let place = column.place(&row.key);
    let plain = vault.open(&place, &row.sealed)?;
    vault.seal(&place, &plain).map(Some)
}

fn values_by_key<U: ReadUnit + ?Sized>(unit: &mut U, vault: &dyn Vault) -> Result<ByKey, StoreError> {
    let mut counts = ByKey::new();
    for column in SEALED_COLUMNS {
        let mut after: Option<String> = None;
        loop {
            let rows = unit.data_keys().sealed_rows(column, after.as_deref(), ROWS)?;
            for row in &rows {
                *counts.entry(vault.data_key_of(&row.sealed).ok()).or_default() += 1;
            }
            match rows.into_iter().last() {
                Some(last) => after = Some(last.key),
                None => break,
            }
        }
    }
    Ok(counts)
}

/// A failure of the files' place as the use cases tell it.
pub(super) fn of_blob(error: BlobError) -> Error {
    match error {
        BlobError::Sealed(error) => Error::Vault(error),
        BlobError::Away(error) => Error::Store(error),
        other => Error::Store(StoreError::unavailable(other)),
    }
}
