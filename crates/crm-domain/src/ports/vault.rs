//! The vault: secrets that must be read again (seeds of second factors, LINE WORKS' secrets) are stored sealed.
//! What must only be compared is hashed instead, see [`super::host::Secrets::hash`].

use std::fmt;

use time::Duration;

use super::store::StoreError;
use crate::data_keys::{DataKey, DataKeyId};
use crate::instant::Instant;

/// Where a sealed value lies. It is part of the seal: an envelope copied into another row or column does not open.
///
/// A column that holds envelopes also stands in the stores' list of sealed columns, so that they are sealed anew when
/// the keys are rotated.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The table.
    pub table: &'static str,
    /// The column that holds the envelope.
    pub column: &'static str,
    /// The row's key as text, such as `17`. It must be known before sealing and never change.
    pub row: String,
}

impl Place {
    /// The place in this column of the row with this key.
    pub fn new(table: &'static str, column: &'static str, row: impl fmt::Display) -> Self {
        Self {
            table,
            column,
            row: row.to_string(),
        }
    }
}

/// Why something cannot be sealed or opened. Tells nothing of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// It was changed, belongs to another place, or never was an envelope.
    #[error("a sealed value does not open: it was changed or belongs elsewhere")]
    Broken,
    /// It was sealed with a data key that is no longer there.
    #[error("a sealed value was sealed with a key that is not there")]
    UnknownKey,
    /// The data keys cannot be read now, or there is no vault.
    #[error("the keys of sealed values cannot be read")]
    Unavailable,
}

impl VaultError {
    /// The stable code, as in logs and messages.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Broken => "sealed_broken",
            Self::UnknownKey => "sealed_key_unknown",
            Self::Unavailable => "vault_unavailable",
        }
    }
}

/// How long a data key is kept at least after another one replaced it: a running server may seal with it until it
/// notices.
pub const KEPT_AFTER_RETIREMENT: Duration = Duration::minutes(10);

/// Where data keys lie. Its call blocks; it must be possible inside a unit of work of the store in which they lie.
pub trait KeyShelf: Send + Sync {
    /// All data keys as of now.
    fn data_keys(&self) -> Result<Vec<DataKey>, StoreError>;

    /// The fingerprint of the secret key that wraps them; `None` before anything was sealed, also in a store that is not
    /// up to date yet.
    fn key_fingerprint(&self) -> Result<Option<Vec<u8>>, StoreError>;

    /// The envelope of a named secret.
    fn named_secret(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;
}

/// Seals short values for their place. Neither call waits for anything but, rarely, one look at the stored keys, so
/// both may be used inside a unit of work.
pub trait Vault: Send + Sync {
    /// The envelope of these bytes for this place. Sealing the same bytes again gives another envelope.
    fn seal(&self, place: &Place, plain: &[u8]) -> Result<Vec<u8>, VaultError>;

    /// The bytes that were sealed for this place. Any bytes may be passed: what is no envelope is
    /// [`VaultError::Broken`].
    fn open(&self, place: &Place, sealed: &[u8]) -> Result<Vec<u8>, VaultError>;

    /// The data key that sealed this.
    fn data_key_of(&self, sealed: &[u8]) -> Result<DataKeyId, VaultError>;

    /// The data key that seals; it is looked up, not remembered.
    fn sealing_key(&self) -> Result<DataKeyId, VaultError>;

    /// A new data key, wrapped; it is stored nowhere yet.
    fn new_data_key(&self, at: Instant) -> Result<DataKey, VaultError>;
}

/// No vault: for programs that keep no secrets.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoVault;

impl Vault for NoVault {
    fn seal(&self, _place: &Place, _plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        Err(VaultError::Unavailable)
    }

    fn open(&self, _place: &Place, _sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        Err(VaultError::Unavailable)
    }

    fn data_key_of(&self, _sealed: &[u8]) -> Result<DataKeyId, VaultError> {
        Err(VaultError::Unavailable)
    }

    fn sealing_key(&self) -> Result<DataKeyId, VaultError> {
        Err(VaultError::Unavailable)
    }

    fn new_data_key(&self, _at: Instant) -> Result<DataKey, VaultError> {
        Err(VaultError::Unavailable)
    }
}
