//! The simulator's rules, each tried over real HTTP with a raw client.
#![expect(clippy::unwrap_used, reason = "a test ends where its ground gives way")]

mod attachments;
mod bearer;
mod bots_and_users;
mod callbacks;
mod content;
mod control;
mod faults;
mod life;
mod messages;
mod rate;
mod receiver;
mod token;
mod world;
