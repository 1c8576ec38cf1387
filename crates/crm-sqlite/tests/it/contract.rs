//! The contract of every store.

use std::sync::Arc;

use crm_domain::ports::store::Store;
use tempfile::TempDir;

use crate::common;

async fn new_store() -> (TempDir, Arc<dyn Store>) {
    let (folder, _, store) = common::new_store().await;
    (folder, store)
}

crm_testkit::contract_suite!(new_store);
