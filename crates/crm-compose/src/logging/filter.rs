//! `CRM_LOG`: which messages pass.

use tracing::Level;
use tracing::level_filters::LevelFilter;

/// All our crates' names begin so; whatever does not is somebody else's.
const OWN: &str = "crm";

/// Levels for our own modules. Other crates' messages pass from WARNING up, whatever is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter {
    default: LevelFilter,
    modules: Vec<(String, LevelFilter)>,
}

impl Default for LogFilter {
    fn default() -> Self {
        Self {
            default: LevelFilter::INFO,
            modules: Vec::new(),
        }
    }
}

impl LogFilter {
    /// A level (`debug`), or a list with levels of single modules (`webhook=debug,info`); a module is named as the log
    /// shows it or with its path. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut filter = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                None => filter.default = level(part)?,
                Some((module, word)) => {
                    filter
                        .modules
                        .push((module.trim().to_owned(), level(word.trim())?));
                }
            }
        }
        Some(filter)
    }

    /// Whether a message of this target and level passes.
    pub fn passes(&self, target: &str, message: Level) -> bool {
        let wanted = if target.starts_with(OWN) {
            self.modules
                .iter()
                .rev()
                .find(|(module, _)| target.starts_with(module.as_str()) || short(target) == module)
                .map_or(self.default, |(_, level)| *level)
        } else {
            self.default.min(LevelFilter::WARN)
        };
        wanted >= message
    }

    /// The most talkative level that can pass.
    pub(super) fn most(&self) -> LevelFilter {
        self.modules
            .iter()
            .map(|(_, level)| *level)
            .fold(self.default, LevelFilter::max)
    }
}

/// The module as the log shows it: the target's last part.
pub(super) fn short(target: &str) -> &str {
    target.rsplit("::").next().unwrap_or(target)
}

fn level(word: &str) -> Option<LevelFilter> {
    match word.to_ascii_lowercase().as_str() {
        "off" => Some(LevelFilter::OFF),
        "error" => Some(LevelFilter::ERROR),
        "warn" | "warning" => Some(LevelFilter::WARN),
        "info" => Some(LevelFilter::INFO),
        "debug" => Some(LevelFilter::DEBUG),
        "trace" => Some(LevelFilter::TRACE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::LogFilter;
    use tracing::Level;

    #[test]
    fn others_never_pass_below_warning() {
        let filter = LogFilter::parse("debug").unwrap();
        assert!(filter.passes("crm_web::webhook", Level::DEBUG));
        assert!(!filter.passes("ureq::run", Level::INFO));
        assert!(filter.passes("ureq::run", Level::WARN));
        assert!(!LogFilter::parse("error").unwrap().passes("ureq", Level::WARN));
    }

    #[test]
    fn single_modules_have_their_own_level() {
        let filter = LogFilter::parse("webhook=debug, warning, crm_web::api=error").unwrap();
        assert!(filter.passes("crm_web::webhook", Level::DEBUG));
        assert!(!filter.passes("crm_web::pages", Level::INFO));
        assert!(!filter.passes("crm_web::api::customers", Level::WARN));
        assert_eq!(LogFilter::parse("loud"), None);
    }
}
