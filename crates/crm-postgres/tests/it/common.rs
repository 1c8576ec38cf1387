//! Stores on databases that go away with the test.

use std::future::Future;
use std::sync::Arc;

use crm_domain::companies::CompanyId;
use crm_domain::ports::store::{StoreError, StoreExt, UnitOfWork};
use crm_postgres::{PostgresOptions, PostgresStore};
use crm_testkit::fixtures::{company_details, start};
use crm_testkit::postgres::TestDatabase;

pub(crate) fn options(url: &str) -> PostgresOptions {
    PostgresOptions {
        url: url.to_owned(),
        replica: None,
        connections: 8,
        application: "crm-test".to_owned(),
    }
}

/// A new store with every migration, and its database.
pub(crate) fn new_store() -> (TestDatabase, Arc<PostgresStore>) {
    let database = TestDatabase::new();
    let store = PostgresStore::open(options(&database.url)).unwrap();
    (database, Arc::new(store))
}

pub(crate) fn add_company(unit: &mut dyn UnitOfWork, name: &str) -> Result<CompanyId, StoreError> {
    unit.edit_companies().add_company(&company_details(name), start())
}

/// Adds a company in a unit of its own.
pub(crate) async fn company(store: &PostgresStore, name: &'static str) -> Result<CompanyId, StoreError> {
    store.write(move |unit| add_company(unit, name)).await
}

/// Runs a test on several threads.
pub(crate) fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(test);
}
