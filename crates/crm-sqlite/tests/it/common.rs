//! Stores in folders that go away with the test.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crm_domain::ports::store_admin::StoreAdmin;
use crm_sqlite::{SqliteOptions, SqliteStore};
use diesel::prelude::*;
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

/// A new store with every migration.
pub(crate) async fn new_store() -> (TempDir, Arc<SqliteStore>) {
    let (folder, path) = new_folder();
    let store = SqliteStore::open(options(&path)).unwrap();
    store.migrate().await.unwrap();
    (folder, Arc::new(store))
}

/// Another program's connection to the file.
pub(crate) fn other_program(path: &Path) -> SqliteConnection {
    SqliteConnection::establish(path.to_str().unwrap()).unwrap()
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
