#![doc = include_str!("../README.md")]

mod bot;
mod callback;
mod client;
mod config;
mod crypto;
mod encode;
mod http;
mod interpret;
mod jwt;
mod messengers;
mod outcome;
mod private_key;
mod service;
mod token;
mod token_request;
mod verify;

pub use bot::BotInfo;
pub use callback::SAMPLE_SENDER;
pub use client::LineWorks;
pub use config::{ConfigError, LineWorksConfig, Timeouts};
pub use messengers::{StaticCallbacks, StaticMessengers};
pub use outcome::ServiceTrouble;
pub use token_request::TokenInfo;
