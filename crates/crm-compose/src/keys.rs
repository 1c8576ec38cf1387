//! The secret key and the data keys at a start. A secret key that is not the database's stops the start and is never
//! replaced; an earlier one that is listed is exchanged for the present one by wrapping the data keys again.

use std::path::Path;
use std::sync::Arc;

use crm_domain::data_keys::{DataKey, DataKeyId};
use crm_domain::error::Error;
use crm_domain::instant::Instant;
use crm_domain::ports::host::{Clock, Secrets};
use crm_domain::ports::store::{Store, StoreError, StoreExt as _, UnitOfWork};
use crm_domain::ports::vault::{Vault as _, VaultError};
use crm_host::vault::{Fingerprint, KeyFolder, WrappingKeys, named_place};
use crm_host::{KeyVault, RingSecrets, SecretKey, VaultSeals};
use secrecy::ExposeSecret as _;

use crate::settings::DataSettings;
use crate::start_error::StartError;

/// The secret key in use and earlier ones.
pub(crate) struct KeysAtHand {
    /// The one in use.
    pub(crate) present: SecretKey,
    /// Whether others can read the key's file.
    pub(crate) exposed: bool,
    /// What wraps data keys.
    pub(crate) wrapping: Arc<WrappingKeys>,
}

impl KeysAtHand {
    /// The keys of the settings, or the one kept in the data folder. Whether they are those of the database is checked
    /// against its fingerprint. A key is made only where the database has none; `None`: there is none, and it was not to
    /// be made.
    pub(crate) fn find(
        data: &DataSettings,
        fingerprint: Option<&[u8]>,
        make: bool,
    ) -> Result<Option<Self>, StartError> {
        let file = data.secret_key_file();
        let (present, exposed) = match &data.secret_key {
            Some(text) => (SecretKey::from_text(text.expose_secret())?, false),
            None if !file.exists() && fingerprint.is_some() => return Err(StartError::KeyLost(file)),
            None if !file.exists() && !make => return Ok(None),
            None => {
                let kept = SecretKey::load_or_create(&file, &RingSecrets::new())?;
                (kept.key, kept.exposed)
            }
        };
        let earlier = data.previous_secret_keys.iter();
        let earlier: Vec<SecretKey> = earlier
            .map(|text| SecretKey::from_text(text.expose_secret()))
            .collect::<Result<_, _>>()?;
        let wrapping = WrappingKeys::of(&present, &earlier).map_err(StartError::Vault)?;
        if fingerprint.is_some_and(|print| !fits(&wrapping, print)) {
            return Err(StartError::OtherKey);
        }
        Ok(Some(Self {
            present,
            exposed,
            wrapping: Arc::new(wrapping),
        }))
    }
}

fn fits(wrapping: &WrappingKeys, fingerprint: &[u8]) -> bool {
    wrapping.fingerprint().0 == fingerprint || wrapping.is_earlier(fingerprint)
}

/// What to bring in order, once the database is up to date.
pub(crate) struct Setup<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) vault: &'a KeyVault,
    pub(crate) wrapping: &'a Arc<WrappingKeys>,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) secrets: &'a Arc<dyn Secrets>,
    /// The folder of files.
    pub(crate) files: &'a Path,
    /// Whether data keys are wrapped again that an earlier secret key wraps: a server's business.
    pub(crate) rewrap: bool,
}

/// Whether the database goes by this key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ours {
    Yes,
    No,
}

impl Setup<'_> {
    /// Gives a database without keys its first, wraps again what an earlier secret key wraps, and takes back keys that
    /// the folder of files has and the database, restored from an earlier time, has not.
    pub(crate) async fn run(&self) -> Result<(), SetupError> {
        let now = self.clock.now();
        let folder = KeyFolder::in_files(self.files);
        let beside = folder.keys(now).map_err(StoreError::unavailable)?;
        if !self.in_order(&beside).await? {
            self.bring_in_order(beside).await?;
        }
        self.name_secrets().await?;
        if self.rewrap {
            let keys = self.store.read(|unit| unit.data_keys().data_keys()).await?;
            keep_beside(&folder, &keys, now)?;
        }
        Ok(())
    }

    /// Whether there is nothing to write, as at most starts: a database that can only be read is enough then.
    async fn in_order(&self, beside: &[DataKey]) -> Result<bool, Error> {
        let Fingerprint(present) = self.wrapping.fingerprint();
        let beside: Vec<_> = beside.iter().map(|key| key.id).collect();
        let look = self.store.read(move |unit| {
            let keys = unit.data_keys().data_keys()?;
            let known = |id: &DataKeyId| keys.iter().any(|key| key.id == *id);
            let noted = unit.data_keys().key_fingerprint()?;
            let whole = !keys.is_empty() && beside.iter().all(known);
            Ok::<_, Error>(whole && noted.as_deref() == Some(present.as_slice()))
        });
        look.await
    }

    async fn bring_in_order(&self, beside: Vec<DataKey>) -> Result<(), SetupError> {
        let first = self.vault.new_data_key(self.clock.now())?;
        let (wrapping, secrets, rewrap) = (Arc::clone(self.wrapping), Arc::clone(self.secrets), self.rewrap);
        let ours = self.store.write(move |uow| {
            let ours = settle(uow, &wrapping, &first, secrets.as_ref(), rewrap)?;
            if ours == Ours::Yes {
                adopt(uow, &wrapping, &beside, secrets.as_ref())?;
            }
            Ok::<_, Error>(ours)
        });
        if ours.await? == Ours::No {
            return Err(SetupError::OtherKey);
        }
        Ok(())
    }

    /// Makes what seals the audit log, unless it is there.
    async fn name_secrets(&self) -> Result<(), Error> {
        let name = VaultSeals::NAME;
        let there = self.store.read(move |unit| unit.data_keys().named_secret(name));
        if there.await?.is_some() {
            return Ok(());
        }
        let mut key = [0; 32];
        self.secrets.fill(&mut key);
        let sealed = self.vault.seal(&named_place(name), &key)?;
        // Of two who make one at once, the first one's stays.
        let keep = self
            .store
            .write(move |uow| uow.edit_data_keys().keep_named_secret(name, &sealed));
        keep.await?;
        Ok(())
    }
}

/// Only where there are files: a folder is not made for keys alone.
fn keep_beside(folder: &KeyFolder, keys: &[DataKey], now: Instant) -> Result<(), StoreError> {
    folder.keep(keys, now).map_err(StoreError::unavailable)
}

/// Why the keys could not be brought in order.
pub(crate) enum SetupError {
    OtherKey,
    Failed(Error),
}

impl<E: Into<Error>> From<E> for SetupError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

fn settle(
    uow: &mut dyn UnitOfWork,
    wrapping: &WrappingKeys,
    first: &DataKey,
    secrets: &dyn Secrets,
    rewrap: bool,
) -> Result<Ours, Error> {
    let Fingerprint(present) = wrapping.fingerprint();
    let noted = uow.data_keys().key_fingerprint()?;
    match noted {
        Some(noted) if !fits(wrapping, &noted) => return Ok(Ours::No),
        Some(noted) if noted == present => {}
        Some(_) if !rewrap => return Ok(Ours::Yes),
        _ => {
            for key in uow.data_keys().data_keys()? {
                if let Some(wrapped) = rewrapped(wrapping, &key, secrets)? {
                    uow.edit_data_keys().rewrap_data_key(key.id, &wrapped)?;
                }
            }
            uow.edit_data_keys().note_key_fingerprint(&present)?;
        }
    }
    if uow.data_keys().data_keys()?.is_empty() {
        uow.edit_data_keys().add_data_key(first, None)?;
    }
    Ok(Ours::Yes)
}

/// A key that nobody can unwrap is left as it is: what it sealed is lost, and `crm key status` says so.
fn rewrapped(
    wrapping: &WrappingKeys,
    key: &DataKey,
    secrets: &dyn Secrets,
) -> Result<Option<Vec<u8>>, VaultError> {
    let mut nonce = [0; 12];
    secrets.fill(&mut nonce);
    match wrapping.rewrapped(key, nonce) {
        Err(VaultError::UnknownKey) => Ok(None),
        done => done,
    }
}

fn adopt(
    uow: &mut dyn UnitOfWork,
    wrapping: &WrappingKeys,
    beside: &[DataKey],
    secrets: &dyn Secrets,
) -> Result<(), Error> {
    for key in beside.iter().filter(|key| wrapping.unwraps(key)) {
        let wrapped = rewrapped(wrapping, key, secrets)?;
        let wrapped = wrapped.unwrap_or_else(|| key.wrapped.clone());
        uow.edit_data_keys().adopt_data_key(&DataKey {
            wrapped,
            ..key.clone()
        })?;
    }
    Ok(())
}
