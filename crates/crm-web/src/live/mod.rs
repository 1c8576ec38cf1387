//! Live pages: what changed goes to every open page as server-sent events, within moments and without polling.
//!
//! One task per process reads the table of events and hands what is new to all streams. A stream first reads from the table
//! what its page has missed, then follows; one that cannot keep up ends, and its browser resumes from the table.

mod encode;
mod handler;
mod hub;
mod stream;

pub use handler::mount;
pub use hub::{Hub, forget, run};

pub(crate) use encode::data_of;
