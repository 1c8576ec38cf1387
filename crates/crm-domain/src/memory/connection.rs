//! The connection in memory.

use super::unit::Unit;
use crate::connection::{
    ConnectionField, ConnectionQueries, ConnectionRepository, SealedValue, StoredConnection,
};
use crate::instant::Instant;
use crate::ports::store::StoreError;

impl ConnectionQueries for Unit {
    fn connection(&mut self) -> Result<StoredConnection, StoreError> {
        self.look(|state| state.connection.clone())
    }

    fn connection_version(&mut self) -> Result<i64, StoreError> {
        self.look(|state| state.connection.version)
    }
}

impl ConnectionRepository for Unit {
    fn save_connection(
        &mut self,
        known: i64,
        changes: &[(ConnectionField, Option<Vec<u8>>)],
        by: &str,
        at: Instant,
    ) -> Result<i64, StoreError> {
        self.change(|state| {
            let stored = &mut state.connection;
            if stored.version != known {
                return Err(StoreError::Stale("connection"));
            }
            stored.version += 1;
            stored.saved = Some((at, by.to_owned()));
            for (field, sealed) in changes {
                stored.values.retain(|value| value.field != *field);
                stored.values.extend(sealed.clone().map(|sealed| SealedValue {
                    field: *field,
                    sealed,
                    changed_at: at,
                    changed_by: by.to_owned(),
                }));
            }
            stored.values.sort_by_key(|value| value.field);
            Ok(stored.version)
        })
    }
}
