//! The shelf of data keys: read on a connection of its own, so that it answers inside a unit of work too.

use crm_diesel::sqlite::{Uow, has_table};
use crm_domain::data_keys::{DataKey, DataKeyQueries as _};
use crm_domain::ports::store::StoreError;
use crm_domain::ports::vault::KeyShelf;

use crate::SqliteStore;

impl KeyShelf for SqliteStore {
    fn data_keys(&self) -> Result<Vec<DataKey>, StoreError> {
        Uow::new(&mut self.opener.reading()?).data_keys()
    }

    fn named_secret(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Uow::new(&mut self.opener.reading()?).named_secret(name)
    }

    fn key_fingerprint(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let mut conn = self.opener.reading()?;
        if has_table(&mut conn, "key_fingerprint")? {
            Uow::new(&mut conn).key_fingerprint()
        } else {
            Ok(None)
        }
    }
}
