#![doc = include_str!("../README.md")]

mod companies;
mod crowd;
mod customers;
mod demo;
mod dice;
mod members;
mod talks;
mod words;

pub use crowd::{Crowd, fill_crowd};
pub use demo::{DEMO_BOT, fill_demo};
pub use members::{SampleMember, sample_members};

/// The LINE WORKS user id of the customer with this number, counted from 0: shaped like a UUID, the same every time.
pub fn user_id(number: u64) -> String {
    format!(
        "{:08x}-5a3d-4c1e-9b20-{:012x}",
        number & 0xffff_ffff,
        number >> 32
    )
}

/// Rows in one unit of work: few enough to keep it short.
const CHUNK: usize = 2_000;
