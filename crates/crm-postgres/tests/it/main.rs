//! The store on a real server.

#![expect(clippy::unwrap_used, reason = "a test that is not set up right should panic")]

mod common;
mod contract;
