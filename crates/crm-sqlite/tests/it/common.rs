//! Stores in folders that go away with the test.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crm_domain::companies::CompanyId;
use crm_domain::ports::store::{StoreError, StoreExt, UnitOfWork};
use crm_domain::ports::store_admin::StoreAdmin;
use crm_sqlite::{SqliteOptions, SqliteStore};
use crm_testkit::fixtures::{company_details, start};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use tempfile::TempDir;

pub(crate) fn options(path: &Path) -> SqliteOptions {
    SqliteOptions {
        path: path.to_owned(),
        readers: 4,
        create: true,
    }
}

pub(crate) fn new_folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    (folder, path)
}

/// A new store with every migration, and where its file is.
pub(crate) async fn new_store() -> (TempDir, PathBuf, Arc<SqliteStore>) {
    let (folder, path) = new_folder();
    let store = SqliteStore::open(options(&path)).unwrap();
    store.migrate().await.unwrap();
    (folder, path, Arc::new(store))
}

/// Another program's connection to the file.
pub(crate) fn other_program(path: &Path) -> SqliteConnection {
    SqliteConnection::establish(path.to_str().unwrap()).unwrap()
}

/// A number that another program reads.
pub(crate) fn number(path: &Path, query: &str) -> i64 {
    sql::<BigInt>(query).get_result(&mut other_program(path)).unwrap()
}

/// Texts that another program reads.
pub(crate) fn texts(path: &Path, query: &str) -> Vec<String> {
    sql::<Text>(query).load(&mut other_program(path)).unwrap()
}

pub(crate) fn add_company(unit: &mut dyn UnitOfWork, name: &str) -> Result<CompanyId, StoreError> {
    unit.edit_companies().add_company(&company_details(name), start())
}

/// Adds a company in a unit of its own.
pub(crate) async fn company(store: &SqliteStore, name: &'static str) -> Result<CompanyId, StoreError> {
    store.write(move |unit| add_company(unit, name)).await
}

/// How many rows each table has, but for those of SQLite and of the migrations.
pub(crate) fn counts(path: &Path) -> BTreeMap<String, i64> {
    let tables = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
                  AND name NOT GLOB '__diesel*' AND name NOT GLOB 'sqlite_*'";
    let count = |table: String| {
        let rows = number(path, &format!("SELECT count(*) FROM \"{table}\""));
        (table, rows)
    };
    texts(path, tables).into_iter().map(count).collect()
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
