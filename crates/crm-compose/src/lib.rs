#![doc = include_str!("../README.md")]

pub mod composition;
pub mod demo;
pub mod logging;
mod rehearsal;
pub mod settings;
mod start_error;
pub mod time_zone;

pub use composition::{Composition, ServerComposition};
pub use crm_host::SystemClock;
pub use crm_host::data_dir::free_space;
pub use crm_host::spool::waiting_in as spooled_in;
pub use demo::{DEMO_LISTEN, DemoComposition};
pub use rehearsal::Rehearsal;
pub use settings::{Loaded, Need, Settings, SettingsError, Source};
pub use start_error::StartError;
pub use time_zone::TimeZone;

/// LINE WORKS, simulated: for `crm dev line-works`.
pub mod simulator {
    pub use crm_lineworks_sim::{SimError, Simulator, SimulatorConfig};
}

/// What LINE WORKS answers when it is asked about the set-up: for `crm doctor`.
pub mod line_works {
    pub use crm_lineworks::{BotInfo, ConfigError, LineWorks, ServiceTrouble, TokenInfo};
}
