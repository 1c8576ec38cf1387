//! What the store does at load, on the disk of the current folder: `cargo run --release -p crm-sqlite --example throughput`.
//! With a number, the database is filled with so many customers (and ten times as many messages) and lists are timed too.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program for people to run, not part of the product"
)]

mod lists;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use crm_domain::ports::store::StoreError;
use crm_domain::ports::store_admin::StoreAdmin;
use crm_sqlite::{SqliteOptions, SqliteStore};

#[tokio::main]
async fn main() -> Result<(), StoreError> {
    let customers = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let folder = tempfile::tempdir_in(".").map_err(StoreError::unavailable)?;
    let store = SqliteStore::open(SqliteOptions {
        path: folder.path().join("crm.db"),
        readers: 4,
        create: true,
    })?;
    store.migrate().await?;
    let store = Arc::new(store);
    for callers in [1, 64, 256] {
        writes::receipts(&store, callers, Duration::from_secs(3)).await;
    }
    writes::recorder(&store, 200).await;
    if let Some(customers) = customers {
        lists::fill(&store, customers).await;
        lists::time(&store, customers).await;
    }
    Ok(())
}

/// The times in the middle and at the end of most.
pub(crate) fn spread(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
    format!("p50 {:?}, p99 {:?}", at(50), at(99))
}
