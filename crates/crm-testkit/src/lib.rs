//! The contract suite that every store passes, with fakes of the other ports and fixtures. For tests only.
//!
//! A store is held to its promises in three lines:
//!
//! ```ignore
//! async fn new_store() -> (tempfile::TempDir, Arc<dyn Store>) { … }
//! crm_testkit::contract_suite!(new_store);
//! ```

#![expect(
    clippy::missing_panics_doc,
    clippy::expect_used,
    reason = "this crate is part of tests: what is not as expected panics"
)]

pub mod contract;
pub mod fakes;
pub mod fixtures;
