//! The log (§7.2): `2025-07-08 10:30:45 INFO webhook Activity recorded for customer 123`, or JSON; to the console and,
//! if wanted, to a file that is rotated daily.

mod daily_file;
mod filter;
mod format;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crm_domain::ports::host::{Caller, Clock};
use crm_traces::{NoTraces, Traces};
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use crm_traces::{follow, rename};
pub use filter::LogFilter;

use crate::settings::LogSettings;
use crate::time_zone::TimeZone;
use daily_file::DailyFile;
use format::LineFormat;

/// Keeps the log going; what waits to be written is written when it is dropped.
#[must_use = "dropping it ends the log"]
pub struct LogGuard {
    _workers: Vec<WorkerGuard>,
    _traces: Option<Traces>,
}

/// The log could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be written.
    #[error("CRM_LOG_FILE: {file} cannot be written: {source}")]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Traces cannot be sent.
    #[error("CRM_OTLP_URL: {0}")]
    Traces(#[source] NoTraces),
    /// Another log was started in this process before.
    #[error("the log was started twice")]
    Twice,
}

/// Starts the log of this process: the console's standard error, and the file if one is set. Lines are written by
/// threads of their own, so that a slow disk slows nobody; after a flood of 128,000 waiting lines further ones are lost.
/// A line about a request carries the id that `caller` tells.
pub fn start(
    settings: &LogSettings,
    zone: &TimeZone,
    clock: Arc<dyn Clock>,
    caller: Arc<dyn Caller>,
) -> Result<LogGuard, LogError> {
    let (console, console_worker) = tracing_appender::non_blocking(io::stderr());
    let mut workers = vec![console_worker];
    let format = LineFormat::new(settings.format, zone.clone(), Arc::clone(&clock), caller);
    let file = match &settings.file {
        None => None,
        Some(path) => {
            let opened = DailyFile::open(path, zone.clone(), clock).map_err(|source| LogError::File {
                file: path.clone(),
                source,
            })?;
            let (writer, worker) = tracing_appender::non_blocking(opened);
            workers.push(worker);
            Some(layer(format.clone(), writer, &settings.filter))
        }
    };
    let traces = settings.otlp_url.as_deref().map(Traces::start).transpose();
    let traces = traces.map_err(LogError::Traces)?;
    tracing_subscriber::registry()
        .with(layer(format, console, &settings.filter))
        .with(file)
        .with(traces.as_ref().map(Traces::layer))
        .try_init()
        .map_err(|_| LogError::Twice)?;
    Ok(LogGuard {
        _workers: workers,
        _traces: traces,
    })
}

fn layer<S>(
    format: LineFormat,
    writer: tracing_appender::non_blocking::NonBlocking,
    filter: &LogFilter,
) -> impl tracing_subscriber::Layer<S>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let wanted = filter.clone();
    let most = filter.most();
    tracing_subscriber::fmt::layer()
        .event_format(format)
        .with_writer(writer)
        .with_ansi(false)
        .with_filter(
            filter_fn(move |meta| !meta.is_span() && wanted.passes(meta.target(), *meta.level()))
                .with_max_level_hint(most),
        )
}
