//! The contract: what every store promises, one case for each promise of the ports' documentation. A case is named for
//! its promise and reads back through a new unit before it believes an answer.

#![expect(missing_docs, reason = "a case's name is its promise")]

use std::sync::Arc;

use crm_domain::ports::store::Store;

pub mod access_tokens;
pub mod activities;
pub mod activity_search;
pub mod attachments;
pub mod audit;
pub mod backlog;
pub mod backups;
pub mod blobs;
pub mod board;
pub mod carriers;
pub mod companies;
pub mod connection;
pub mod conversations;
pub mod credentials;
pub mod customer_search;
pub mod customers;
pub mod data_keys;
pub mod erasures;
pub mod events;
pub mod factors;
pub mod holdings;
pub mod idempotency;
pub mod imports;
pub mod jobs;
pub mod leases;
mod list;
pub mod members;
pub mod notes;
pub mod readings;
pub mod receipts;
pub mod retention;
pub mod send_budgets;
pub mod send_leases;
pub mod send_turns;
pub mod senders;
pub mod sends;
pub mod shared_counts;
mod steps;
pub mod store;
pub mod teams;
pub mod trash;
pub mod waitings;

/// A store that a case may fill.
pub type AnyStore = Arc<dyn Store>;

/// Runs a case on a new store. The guard (a folder, a database) lives until the case is over.
pub fn run<G>(make: impl AsyncFnOnce() -> (G, AnyStore), case: impl AsyncFnOnce(AnyStore)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (_guard, store) = make().await;
        case(store).await;
    });
}
