//! Data keys in memory.

use super::state::State;
use super::unit::Unit;
use crate::data_keys::{DataKey, DataKeyId, DataKeyQueries, DataKeyRepository, SealedColumn, SealedRow};
use crate::ports::store::StoreError;

/// Fingerprint of the secret key.
pub(super) type Fingerprint = Option<Vec<u8>>;

impl State {
    /// The envelopes of a column.
    fn sealed(&self, column: &SealedColumn) -> Vec<SealedRow> {
        let row = |key: String, sealed: &Vec<u8>| SealedRow {
            key,
            sealed: sealed.clone(),
        };
        match column.table {
            "member_factors" => {
                let factors = self.factors.iter().map(|(_, row)| &row.factor);
                factors
                    .map(|factor| row(factor.member_id.to_string(), &factor.seed))
                    .collect()
            }
            "connection_values" => {
                let values = self.connection.values.iter();
                values
                    .map(|value| row(value.field.code().to_owned(), &value.sealed))
                    .collect()
            }
            _ => self.named_secrets.iter().map(|(_, row)| row.clone()).collect(),
        }
    }

    fn sealed_mut(&mut self, column: &SealedColumn, key: &str) -> Option<&mut Vec<u8>> {
        match column.table {
            "member_factors" => {
                let mut factors = self.factors.iter_mut().map(|row| &mut row.factor);
                let found = factors.find(|factor| factor.member_id.to_string() == key)?;
                Some(&mut found.seed)
            }
            "connection_values" => {
                let mut values = self.connection.values.iter_mut();
                let found = values.find(|value| value.field.code() == key)?;
                Some(&mut found.sealed)
            }
            _ => {
                let found = self.named_secrets.iter_mut().find(|row| row.key == key)?;
                Some(&mut found.sealed)
            }
        }
    }
}

impl DataKeyQueries for Unit {
    fn data_keys(&mut self) -> Result<Vec<DataKey>, StoreError> {
        self.look(|state| {
            let mut keys: Vec<DataKey> = state.data_keys.iter().map(|(_, key)| key.clone()).collect();
            keys.sort_by_key(|key| (key.retired_at.is_some(), std::cmp::Reverse((key.made_at, key.id))));
            keys
        })
    }

    fn key_fingerprint(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        self.look(|state| state.key_fingerprint.clone())
    }

    fn sealed_rows(
        &mut self,
        column: &SealedColumn,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<SealedRow>, StoreError> {
        self.look(|state| {
            let mut rows = state.sealed(column);
            rows.retain(|row| after.is_none_or(|after| row.key.as_str() > after));
            rows.sort_by(|one, other| one.key.cmp(&other.key));
            rows.truncate(limit);
            rows
        })
    }

    fn named_secret(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.look(|state| {
            let mut rows = state.named_secrets.iter().map(|(_, row)| row);
            rows.find(|row| row.key == name).map(|row| row.sealed.clone())
        })
    }
}

impl DataKeyRepository for Unit {
    fn note_key_fingerprint(&mut self, fingerprint: &[u8]) -> Result<(), StoreError> {
        self.change(|state| {
            state.key_fingerprint = Some(fingerprint.to_vec());
            Ok(())
        })
    }

    fn add_data_key(&mut self, key: &DataKey, instead_of: Option<DataKeyId>) -> Result<bool, StoreError> {
        self.change(|state| {
            let sealing = state.data_keys.iter().find(|(_, key)| key.retired_at.is_none());
            if sealing.map(|(_, key)| key.id) != instead_of {
                return Ok(false);
            }
            let at = key.made_at;
            let before = state.data_keys.iter_mut().filter(|key| key.retired_at.is_none());
            before.for_each(|key| key.retired_at = Some(at));
            state.data_keys.insert(|_| DataKey {
                retired_at: None,
                ..key.clone()
            });
            Ok(true)
        })
    }

    fn adopt_data_key(&mut self, key: &DataKey) -> Result<bool, StoreError> {
        self.change(|state| {
            if state.data_keys.iter().any(|(_, known)| known.id == key.id) {
                return Ok(false);
            }
            state.data_keys.insert(|_| DataKey {
                retired_at: key.retired_at.or(Some(key.made_at)),
                ..key.clone()
            });
            Ok(true)
        })
    }

    fn rewrap_data_key(&mut self, id: DataKeyId, wrapped: &[u8]) -> Result<(), StoreError> {
        self.change(|state| {
            let keys = state.data_keys.iter_mut();
            keys.filter(|key| key.id == id)
                .for_each(|key| key.wrapped = wrapped.to_vec());
            Ok(())
        })
    }

    fn forget_data_key(&mut self, id: DataKeyId) -> Result<bool, StoreError> {
        self.change(|state| {
            let goes = |key: &DataKey| key.id == id && key.retired_at.is_some();
            let found = state.data_keys.iter().any(|(_, key)| goes(key));
            state.data_keys.retain(|key| !goes(key));
            Ok(found)
        })
    }

    fn reseal_row(
        &mut self,
        column: &SealedColumn,
        was: &SealedRow,
        sealed: &[u8],
    ) -> Result<bool, StoreError> {
        self.change(|state| {
            let place = state.sealed_mut(column, &was.key);
            let found = place.filter(|place| **place == was.sealed);
            let same = found.is_some();
            if let Some(place) = found {
                *place = sealed.to_vec();
            }
            Ok(same)
        })
    }

    fn keep_named_secret(&mut self, name: &str, sealed: &[u8]) -> Result<bool, StoreError> {
        self.change(|state| {
            if state.named_secrets.iter().any(|(_, row)| row.key == name) {
                return Ok(false);
            }
            state.named_secrets.insert(|_| SealedRow {
                key: name.to_owned(),
                sealed: sealed.to_vec(),
            });
            Ok(true)
        })
    }
}
