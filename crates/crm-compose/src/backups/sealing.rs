//! The secret key of a restored store: the target's if it has one, otherwise the backup's, otherwise a new one.

use std::path::Path;

use crm_domain::ports::host::Secrets as _;
use crm_host::vault::{Fingerprint, WrappingKeys};
use crm_host::{RingSecrets, SecretKey};
use crm_sqlite::copies;
use secrecy::{ExposeSecret as _, SecretString};

use super::luggage::{Luggage, secret_key_of};
use super::problem::{BackupProblem, RestoreProblem};
use super::restored::KeyFate;
use crate::settings::DataSettings;
use crate::start_error::StartError;

/// The key that a restored store goes by.
pub(super) struct Sealing {
    /// The key.
    pub(super) key: SecretString,
    /// Older ones that may open what stands in the database.
    pub(super) earlier: Vec<SecretString>,
    /// What becomes of what stands in the database.
    pub(super) fate: KeyFate,
    /// Whether the key has to be written into the data folder.
    pub(super) is_new: bool,
}

impl Sealing {
    /// Decides, and takes out of the database what nobody can open. It has this program's version.
    pub(super) fn settle(
        data: &DataSettings,
        luggage: &Luggage,
        fingerprint: Option<&[u8]>,
        database: &Path,
    ) -> Result<Self, RestoreProblem> {
        let own = secret_key_of(data);
        let carried = luggage.secret_key.clone();
        let key = own.clone().or_else(|| carried.clone());
        let key = key.unwrap_or_else(|| RingSecrets::new().token().into());
        let mut earlier = data.previous_secret_keys.clone();
        earlier.extend(carried.clone());
        let opens = |keys: &[SecretString]| -> Result<bool, RestoreProblem> {
            let Some(fingerprint) = fingerprint else {
                return Ok(true);
            };
            keys.iter()
                .try_fold(false, |found, key| Ok(found || print_of(key)?.0 == fingerprint))
        };
        let fate = if opens(std::slice::from_ref(&key))? {
            if own.is_some() || carried.is_none() {
                KeyFate::Same
            } else {
                KeyFate::Taken
            }
        } else if opens(&earlier)? {
            KeyFate::Brought
        } else {
            let gone = copies::drop_sealed(database)?;
            KeyFate::Adopted {
                factors: gone.factors,
                connection: gone.connection,
            }
        };
        Ok(Self {
            is_new: own.is_none(),
            key,
            earlier,
            fate,
        })
    }

    /// The fingerprint of the key.
    pub(super) fn print(&self) -> Result<String, RestoreProblem> {
        Ok(print_of(&self.key)?.to_string())
    }
}

fn print_of(key: &SecretString) -> Result<Fingerprint, RestoreProblem> {
    let key = SecretKey::from_text(key.expose_secret()).map_err(StartError::Key)?;
    let keys = WrappingKeys::of(&key, &[]).map_err(|_| BackupProblem::Key)?;
    Ok(keys.fingerprint())
}
