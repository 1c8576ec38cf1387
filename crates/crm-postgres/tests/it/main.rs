//! The store on a real server.

#![expect(clippy::unwrap_used, reason = "a test that is not set up right should panic")]

mod bell;
mod blobs;
mod collisions;
mod common;
mod contract;
mod events;
mod growing;
mod lost_lines;
mod opening;
mod order;
mod proxy;
mod rehearsing;
mod releases;
mod searches;
mod secret_lines;
mod servers;
