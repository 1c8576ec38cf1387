//! The vault: secrets that must be read again (seeds of second factors, LINE WORKS' secrets) are stored sealed.
//! What must only be compared is hashed instead, see [`super::host::Secrets::hash`].

use std::fmt;

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

/// Seals short values for their place. Neither call waits for anything but, rarely, one look at the stored keys, so
/// both may be used inside a unit of work.
pub trait Vault: Send + Sync {
    /// The envelope of these bytes for this place. Sealing the same bytes again gives another envelope.
    fn seal(&self, place: &Place, plain: &[u8]) -> Result<Vec<u8>, VaultError>;

    /// The bytes that were sealed for this place. Any bytes may be passed: what is no envelope is
    /// [`VaultError::Broken`].
    fn open(&self, place: &Place, sealed: &[u8]) -> Result<Vec<u8>, VaultError>;
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
}
