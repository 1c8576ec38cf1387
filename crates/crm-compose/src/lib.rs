#![doc = include_str!("../README.md")]

pub mod backups;
pub mod composition;
mod connection;
mod database;
pub mod demo;
mod keys;
pub mod logging;
mod machine;
mod rehearsal;
mod rotation;
mod server_trouble;
pub mod settings;
mod start_error;
pub mod time_zone;
pub mod transfer;
mod upgrade;

pub use composition::{Composition, ServerComposition};
pub use connection::{Connection, source_with_pages};
pub use crm_host::SystemClock;
pub use crm_host::data_dir::free_space;
pub use crm_host::spool::waiting_in as spooled_in;
pub use database::StoreLock;
pub use demo::{DEMO_LISTEN, DemoComposition};
pub use rehearsal::Rehearsal;
pub use rotation::{Rotated, RotationError};
pub use settings::{Loaded, Need, Settings, SettingsError, Source};
pub use start_error::StartError;
pub use time_zone::TimeZone;
pub use upgrade::Upgraded;

/// LINE WORKS, simulated: for `crm dev line-works`.
pub mod simulator {
    pub use crm_lineworks_sim::{SimError, Simulator, SimulatorConfig};
}
