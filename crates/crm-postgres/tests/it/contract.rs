//! The contract of every store.

use std::sync::Arc;

use crm_domain::ports::store::Store;
use crm_testkit::postgres::TestDatabase;

use crate::common;

/// The store goes first: the database is dropped when nobody is connected.
async fn new_store() -> (TestDatabase, Arc<dyn Store>) {
    let made = tokio::task::spawn_blocking(common::new_store).await;
    let (database, store) = made.unwrap();
    (database, store)
}

crm_testkit::contract_suite!(new_store);
