#![doc = include_str!("../README.md")]

mod answers;
mod attachments;
mod bot;
pub mod callbacks;
mod clock;
mod config;
mod content;
mod delivery;
mod error;
mod faults;
mod form;
mod gate;
mod json_body;
mod jwt;
mod keys;
mod multipart;
mod outbox;
mod rate;
mod routes;
mod server;
mod settings;
mod simulator;
mod state;
mod test_key;
mod tokens;

pub use bot::BotSetup;
pub use callbacks::{Delivery, Event, Signing};
pub use clock::SimClock;
pub use config::{Member, SimulatorConfig};
pub use error::SimError;
pub use faults::{Endpoint, Fault};
pub use outbox::{Recipient, SentMessage};
pub use simulator::Simulator;
pub use test_key::test_private_key_pem;
