//! The contract on the in-memory store, as it is and with every unit of work run twice.

use std::sync::Arc;

use crm_domain::memory::MemoryStore;
use crm_domain::ports::store::Store;

mod plain {
    use super::{Arc, MemoryStore, Store};

    async fn store() -> ((), Arc<dyn Store>) {
        ((), Arc::new(MemoryStore::new()))
    }

    crm_testkit::contract_suite!(store);
}

mod repeating {
    use super::{Arc, MemoryStore, Store};

    async fn store() -> ((), Arc<dyn Store>) {
        let store = MemoryStore::new();
        store.repeat_units();
        ((), Arc::new(store))
    }

    crm_testkit::contract_suite!(store);
}
