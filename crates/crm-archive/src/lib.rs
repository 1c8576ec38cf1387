#![doc = include_str!("../README.md")]

mod error;
mod hashing;
mod manifest;
pub mod names;
mod read;
mod seal;
mod write;

pub use error::{ArchiveError, Place};
pub use hashing::{Sha256, hex};
pub use manifest::{FORMAT, Manifest, Member};
pub use read::{Archive, Taker, is_encrypted};
pub use seal::Passphrase;
pub use write::{Draft, Written};
