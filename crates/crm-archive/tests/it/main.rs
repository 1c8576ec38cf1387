//! Archives: whole or refused.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod common;
mod forged;
mod whole;
