#![doc = include_str!("../README.md")]

mod bot;
mod callback;
mod client;
mod config;
mod crypto;
mod directory;
mod disposition;
mod download;
mod encode;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod heard;
mod http;
mod interpret;
mod journal;
mod jwt;
mod location;
mod mention;
mod outcome;
mod private_key;
mod profiles;
mod service;
mod shelf;
mod switchboard;
mod token;
mod token_request;
mod users;
mod verify;

pub use callback::SAMPLE_SENDER;
pub use client::LineWorks;
pub use config::{ConfigError, LineWorksConfig, Timeouts};
pub use outcome::ServiceTrouble;
pub use switchboard::Switchboard;
pub use token_request::TokenInfo;
