//! The store on real files.

#![expect(clippy::unwrap_used, reason = "a test that is not set up right should panic")]

mod common;
mod contract;
