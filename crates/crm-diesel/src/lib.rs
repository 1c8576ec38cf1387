#![doc = include_str!("../README.md")]
#![cfg_attr(
    all(feature = "sqlite", feature = "postgres"),
    expect(clippy::duplicate_mod, reason = "one source, compiled once per backend")
)]

mod cached;
mod fault;
mod found;
mod mend;
mod schema;
mod stamp;

#[cfg(feature = "sqlite")]
pub use stamp::{read as read_instant, write as write_instant};

#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;
