//! The store on a real server.

#![expect(clippy::unwrap_used, reason = "a test that is not set up right should panic")]

mod blobs;
mod common;
mod contract;
