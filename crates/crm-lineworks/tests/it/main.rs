//! The adapter against the simulator over real HTTP, and against a line that does what no service should.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what is not as expected panics in tests"
)]

mod fetching;
mod fuzz;
mod interpreting;
mod keys;
mod line;
mod lines;
mod members;
mod sending;
mod setup;
mod sharing;
mod statuses;
mod switching;
mod tokens;
mod verifying;
