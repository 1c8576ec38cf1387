//! The contract on the in-memory store, and what that store does when it is told to fail.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod contract;
mod fakes;
mod faults;
