//! The contract, on the in-memory store.

use std::sync::Arc;

use crm_domain::memory::MemoryStore;
use crm_domain::ports::store::Store;

async fn memory_store() -> ((), Arc<dyn Store>) {
    ((), Arc::new(MemoryStore::new()))
}

crm_testkit::contract_suite!(memory_store);
