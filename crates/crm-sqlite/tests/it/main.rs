//! The store on real files.

#![expect(clippy::unwrap_used, reason = "a test that is not set up right should panic")]

mod backup;
mod bulk;
mod common;
mod contract;
mod faults;
mod file;
mod growing;
mod landed;
mod migrations;
mod releases;
mod scrub;
mod sealed_columns;
mod searches;
mod upgrades;
mod writer;
