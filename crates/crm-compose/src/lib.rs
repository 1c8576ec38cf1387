#![doc = include_str!("../README.md")]

pub mod logging;
pub mod settings;
pub mod time_zone;

pub use settings::{Loaded, Need, Settings, SettingsError, Source};
pub use time_zone::TimeZone;
