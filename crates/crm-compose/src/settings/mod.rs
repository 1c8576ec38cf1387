//! Settings: read once, checked as a whole, handed on as values.

mod data;
mod dot_env;
mod dot_env_merge;
mod ip_range;
pub mod known;
mod line_works;
mod listen;
mod log;
mod problem;
mod public_url;
mod reader;
mod show;
mod source;
#[cfg(test)]
mod tests;
mod web;
mod words;

pub use data::DataSettings;
pub use dot_env_merge::merged as merged_dot_env;
pub use ip_range::IpRange;
pub use line_works::{LineWorksSettings, UnknownSender};
pub use listen::ListenSettings;
pub use log::{LogFormat, LogSettings};
pub use problem::{Fault, Problem, SettingsError, Warning};
pub use public_url::PublicUrl;
pub use show::{Shown, example};
pub use source::{Origin, Source};
pub use web::WebSettings;

use reader::Reader;

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Addresses and names.
    pub listen: ListenSettings,
    /// Places and keys.
    pub data: DataSettings,
    /// Language, time zone, limits.
    pub web: WebSettings,
    /// The log.
    pub log: LogSettings,
    /// LINE WORKS; `None`: nothing is set up, or it was not asked for.
    pub line_works: Option<LineWorksSettings>,
    /// The bot's id, also where the rest of LINE WORKS is not asked for.
    pub bot_id: Option<String>,
}

/// Settings with what is worth saying about them.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// What stops nothing.
    pub warnings: Vec<Warning>,
    /// Every setting with its value and origin, secrets hidden.
    pub shown: Vec<Shown>,
}

/// What the settings are read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// All of them.
    Everything,
    /// The store only: what is wrong with LINE WORKS does not matter.
    Store,
}

impl Settings {
    /// Understands everything given, or says every problem at once.
    pub fn read(source: &Source, need: Need) -> Result<Loaded, SettingsError> {
        let mut reader = Reader::new(source);
        let settings = Self {
            listen: listen::read(&mut reader),
            data: data::read(&mut reader),
            web: web::read(&mut reader),
            log: log::read(&mut reader),
            line_works: line_works::read(&mut reader),
            bot_id: reader
                .used
                .get("LINE_WORKS_BOT_ID")
                .map(|(value, _)| value.clone()),
        };
        let idle = known::NOT_IN_USE
            .into_iter()
            .filter(|name| reader.used.contains_key(name));
        reader.warnings.extend(idle.map(Warning::NotInUse));
        let mut problems = reader.problems;
        if need == Need::Store {
            problems.retain(|problem| !problem.name.starts_with("LINE_WORKS_"));
        }
        let shown = show::shown(&settings, &reader.used);
        let warnings = reader.warnings;
        if problems.is_empty() {
            Ok(Loaded {
                settings,
                warnings,
                shown,
            })
        } else {
            Err(SettingsError {
                problems,
                warnings,
                shown,
                locale: settings.web.locale,
            })
        }
    }
}
