#![doc = include_str!("../README.md")]
#![expect(
    clippy::missing_panics_doc,
    clippy::expect_used,
    reason = "this crate is part of tests: what is not as expected panics"
)]

pub mod bulk;
pub mod contract;
pub mod fakes;
pub mod fixtures;
pub mod fuzz;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod released;
pub mod saying;
