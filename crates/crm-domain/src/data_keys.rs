//! Data keys: what seals secrets at rest. They are stored wrapped by the installation's secret key, so that another
//! secret key means wrapping them again and nothing else.

use std::fmt;

use crate::instant::Instant;
use crate::ports::store::StoreError;
use crate::ports::vault::Place;

/// A data key's name: random, so that keys of two histories of a database never share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataKeyId(pub [u8; 8]);

impl DataKeyId {
    /// The id of its 16 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text
            .bytes()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let number = u64::from_str_radix(text, 16).ok()?;
        (digits && text.len() == 16).then(|| Self(number.to_be_bytes()))
    }
}

impl fmt::Display for DataKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// A data key as stored.
#[derive(Clone, PartialEq, Eq)]
pub struct DataKey {
    /// Its name.
    pub id: DataKeyId,
    /// The key, wrapped by the secret key.
    pub wrapped: Vec<u8>,
    /// When it was made.
    pub made_at: Instant,
    /// Since when another one seals; `None`: this is the one that seals. It still opens.
    pub retired_at: Option<Instant>,
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey({})", self.id)
    }
}

/// A column that holds envelopes.
#[derive(Debug, PartialEq, Eq)]
pub struct SealedColumn {
    /// The table.
    pub table: &'static str,
    /// The column: bytes or NULL.
    pub column: &'static str,
    /// The column of the row's key: a number or text, unique, never changed.
    pub key: &'static str,
}

/// Every column that holds envelopes. What is missing here is not sealed anew by a rotation, and unreadable once its
/// data key is forgotten: a test of the store compares this list with the tables.
pub const SEALED_COLUMNS: &[SealedColumn] = &[
    SealedColumn::new("named_secrets", "sealed", "name"),
    SealedColumn::new("member_factors", "seed", "member_id"),
    SealedColumn::new("connection_values", "sealed", "field"),
    SealedColumn::new("access_tokens", "sealed", "connection"),
];

impl SealedColumn {
    /// A column and that of its row's key.
    pub const fn new(table: &'static str, column: &'static str, key: &'static str) -> Self {
        Self { table, column, key }
    }

    /// The place of the row with this key.
    pub fn place(&self, row: &str) -> Place {
        Place::new(self.table, self.column, row)
    }
}

/// An envelope where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRow {
    /// The row's key as text.
    pub key: String,
    /// The envelope.
    pub sealed: Vec<u8>,
}

/// Looking data keys and envelopes up.
pub trait DataKeyQueries {
    /// All data keys: the one that seals, then the others, newest first.
    fn data_keys(&mut self) -> Result<Vec<DataKey>, StoreError>;

    /// The fingerprint of the secret key that wraps them; `None` before anything was sealed.
    fn key_fingerprint(&mut self) -> Result<Option<Vec<u8>>, StoreError>;

    /// The envelopes in the column whose row's key as text comes after `after`, in the order of their bytes, at most
    /// `limit`; empty columns are passed over.
    fn sealed_rows(
        &mut self,
        column: &SealedColumn,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<SealedRow>, StoreError>;

    /// The envelope of a named secret: one that programs make for themselves once, such as the key of a chain.
    fn named_secret(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;
}

/// Changing data keys and envelopes.
pub trait DataKeyRepository {
    /// Notes the fingerprint of the secret key that wraps the data keys, in place of the one before.
    fn note_key_fingerprint(&mut self, fingerprint: &[u8]) -> Result<(), StoreError>;

    /// Adds the data key that seals from now on and retires the one that did. It must be `instead_of` (`None`: there is
    /// none), otherwise nothing changes and the answer is false: of two who make one at once, one does.
    fn add_data_key(&mut self, key: &DataKey, instead_of: Option<DataKeyId>) -> Result<bool, StoreError>;

    /// Adds a key that opens and does not seal, unless it is there; says whether it was not.
    fn adopt_data_key(&mut self, key: &DataKey) -> Result<bool, StoreError>;

    /// Replaces the wrapped form of a data key.
    fn rewrap_data_key(&mut self, id: DataKeyId, wrapped: &[u8]) -> Result<(), StoreError>;

    /// Forgets a retired data key; what it sealed can never be opened again. The one that seals stays.
    fn forget_data_key(&mut self, id: DataKeyId) -> Result<bool, StoreError>;

    /// Replaces an envelope, if it still is the one that was read; says whether it was.
    fn reseal_row(
        &mut self,
        column: &SealedColumn,
        was: &SealedRow,
        sealed: &[u8],
    ) -> Result<bool, StoreError>;

    /// Keeps a named secret's envelope unless there is one; says whether there was none.
    fn keep_named_secret(&mut self, name: &str, sealed: &[u8]) -> Result<bool, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::DataKeyId;

    #[test]
    fn an_id_survives_its_digits() {
        let id = DataKeyId([0, 1, 2, 0xfe, 4, 5, 6, 0xff]);
        assert_eq!(id.to_string(), "000102fe040506ff");
        assert_eq!(DataKeyId::from_hex("000102fe040506ff"), Some(id));
        for bad in [
            "",
            "1",
            "000102FE040506FF",
            "+00102fe040506ff",
            "000102fe040506ff0",
        ] {
            assert_eq!(DataKeyId::from_hex(bad), None, "{bad}");
        }
    }
}
