//! Settings: read once, checked as a whole, handed on as values.

mod backups;
mod data;
mod database;
mod dot_env;
mod dot_env_merge;
mod ip_range;
pub mod known;
mod line_works;
mod listen;
mod log;
mod portable;
mod problem;
mod public_url;
mod reader;
mod show;
mod source;
mod stored;
#[cfg(test)]
mod tests;
mod web;
mod words;

pub use backups::BackupSettings;
pub use data::DataSettings;
pub use database::{Database, DatabaseServer};
pub use dot_env_merge::merged as merged_dot_env;
pub use ip_range::IpRange;
pub use line_works::{LineWorksRules, LineWorksSettings, UnknownSender};
pub use listen::ListenSettings;
pub use log::{LogFormat, LogSettings};
pub use problem::{Fault, Problem, SettingsError, Warning};
pub use public_url::PublicUrl;
pub use show::{Shown, example};
pub use source::{Origin, Source};
pub use web::WebSettings;

pub(crate) use line_works::private_key_of;
pub(crate) use portable::portable;
pub(crate) use stored::{read_pasted, wrong_fields};

use reader::Reader;

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Addresses and names.
    pub listen: ListenSettings,
    /// Places and keys.
    pub data: DataSettings,
    /// The daily backup.
    pub backups: BackupSettings,
    /// Language, time zone, limits.
    pub web: WebSettings,
    /// The log.
    pub log: LogSettings,
    /// LINE WORKS; `None`: nothing is set up, or it was not asked for.
    pub line_works: Option<LineWorksSettings>,
    /// What holds for callbacks and their senders, however LINE WORKS is set up.
    pub rules: LineWorksRules,
    /// What LINE WORKS is set up from, to be taken together with what is set up in the pages; `None`: it was not asked for.
    pub connection: Option<Source>,
    /// Everything as it was given, for what goes along in an encrypted backup.
    pub given: Source,
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
    /// All of them; what LINE WORKS lacks may have been set up in the pages, if there is a database already.
    WithPages,
    /// LINE WORKS only: what is wrong with other settings does not matter.
    LineWorks,
    /// The store only: what is wrong with LINE WORKS does not matter.
    Store,
}

impl Settings {
    /// The same for a program that does not speak with LINE WORKS. What was given stays known.
    #[must_use]
    pub fn without_line_works(self) -> Self {
        Self {
            line_works: None,
            connection: None,
            ..self
        }
    }

    /// Understands everything given, or says every problem at once.
    pub fn read(source: &Source, need: Need) -> Result<Loaded, SettingsError> {
        let mut reader = Reader::new(source);
        let settings = Self {
            listen: listen::read(&mut reader),
            data: data::read(&mut reader),
            backups: backups::read(&mut reader),
            web: web::read(&mut reader),
            log: log::read(&mut reader),
            rules: line_works::rules(&mut reader),
            line_works: line_works::read(&mut reader),
            connection: Some(source.clone()),
            given: source.clone(),
            bot_id: reader
                .used
                .get("LINE_WORKS_BOT_ID")
                .map(|(value, _)| value.clone()),
        };
        let mut problems = reader.problems;
        let of_line_works = |problem: &Problem| problem.name.starts_with("LINE_WORKS_");
        match need {
            Need::Everything => {}
            Need::WithPages if settings.data.database.missing().is_some() => {}
            Need::WithPages => problems.retain(|problem| !source.may_come_from_pages(problem)),
            Need::LineWorks => problems.retain(of_line_works),
            Need::Store => problems.retain(|problem| !of_line_works(problem)),
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
