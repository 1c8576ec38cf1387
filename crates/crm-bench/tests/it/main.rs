//! Trials of the real server: killed at random, with a disk that fails, with a clock that jumps.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod clock;
mod crash;
mod disk;
mod fleet;
mod messages;
mod scene;
