//! What is logged, where and how.

use std::path::PathBuf;

use super::problem::Fault;
use super::public_url::service_url;
use super::reader::{Reader, choice};
use crate::logging::LogFilter;

/// The log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// Which of our own messages pass.
    pub filter: LogFilter,
    /// A file beside the console; a link that always leads to the current day's file.
    pub file: Option<PathBuf>,
    /// Lines for people or for programs.
    pub format: LogFormat,
    /// The collector that takes traces, without `/v1/traces`.
    pub otlp_url: Option<String>,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            filter: LogFilter::default(),
            file: None,
            format: LogFormat::Text,
            otlp_url: None,
        }
    }
}

/// The shape of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// `2025-07-08 10:30:45 INFO webhook …` (§7.2.3).
    Text,
    /// One JSON object a line.
    Json,
}

pub(super) fn read(reader: &mut Reader<'_>) -> LogSettings {
    LogSettings {
        filter: reader.parsed("CRM_LOG", LogFilter::default(), |text| {
            LogFilter::parse(text).ok_or_else(|| Fault::NotAFilter {
                given: text.to_owned(),
            })
        }),
        file: reader.text("CRM_LOG_FILE").map(PathBuf::from),
        otlp_url: reader.optional("CRM_OTLP_URL", |text| service_url(text, "http://collector:4318")),
        format: reader.parsed("CRM_LOG_FORMAT", LogFormat::Text, |text| {
            choice(
                text,
                &[("text", LogFormat::Text), ("json", LogFormat::Json)],
                "text, json",
            )
        }),
    }
}
