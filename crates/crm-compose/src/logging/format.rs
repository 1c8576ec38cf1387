//! One line for each message.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use crm_domain::ports::host::{Caller, Clock};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::macros::format_description;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::filter::short;
use crate::settings::LogFormat;
use crate::time_zone::TimeZone;

#[derive(Clone)]
pub(super) struct LineFormat {
    shape: LogFormat,
    zone: TimeZone,
    clock: Arc<dyn Clock>,
    caller: Arc<dyn Caller>,
}

impl LineFormat {
    pub(super) fn new(
        shape: LogFormat,
        zone: TimeZone,
        clock: Arc<dyn Clock>,
        caller: Arc<dyn Caller>,
    ) -> Self {
        Self {
            shape,
            zone,
            clock,
            caller,
        }
    }

    fn line(&self, event: &Event<'_>) -> Result<String, fmt::Error> {
        let now = self.clock.now();
        let local = now.at_offset(self.zone.offset_at(now));
        let mut said = Said::default();
        event.record(&mut said);
        if let Some(id) = self.caller.request_id() {
            said.fields.push(("request_id".to_owned(), id.into()));
        }
        let (level, module) = (word(*event.metadata().level()), short(event.metadata().target()));
        match self.shape {
            LogFormat::Text => text(local, level, module, &said),
            LogFormat::Json => json(local, level, module, said),
        }
    }
}

impl<S, N> FormatEvent<S, N> for LineFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        writeln!(writer, "{}", self.line(event)?)
    }
}

/// The words of the specification (§7.2.1).
fn word(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}

fn text(at: OffsetDateTime, level: &str, module: &str, said: &Said) -> Result<String, fmt::Error> {
    let shape = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let at = at.format(shape).map_err(|_| fmt::Error)?;
    let mut line = format!("{at} {level} {module} {}", one_line(&said.message));
    for (name, value) in &said.fields {
        match value {
            Value::String(value) => write!(line, " {name}={}", one_line(value))?,
            other => write!(line, " {name}={other}")?,
        }
    }
    Ok(line)
}

fn json(at: OffsetDateTime, level: &str, module: &str, said: Said) -> Result<String, fmt::Error> {
    let mut object = Map::new();
    // RFC 3339, always with milliseconds.
    let shape = format_description!(
        "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3][offset_hour sign:mandatory]:[offset_minute]"
    );
    let at = at.format(shape).map_err(|_| fmt::Error)?;
    for (name, value) in [
        ("time", at.as_str()),
        ("level", level),
        ("module", module),
        ("message", &said.message),
    ] {
        object.insert(name.to_owned(), value.into());
    }
    for (name, value) in said.fields {
        object.entry(name).or_insert(value);
    }
    Ok(Value::Object(object).to_string())
}

/// A line break in a value would let whoever chose the value write lines of their own.
fn one_line(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut line, c| {
            if c.is_control() {
                line.extend(c.escape_default());
            } else {
                line.push(c);
            }
            line
        })
}

/// What a message says.
#[derive(Default)]
struct Said {
    message: String,
    fields: Vec<(String, Value)>,
}

impl Said {
    fn put(&mut self, field: &Field, value: Value) {
        self.fields.push((field.name().to_owned(), value));
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.put(field, Value::String(format!("{value:?}")));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.put(field, value.into());
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::LineFormat;
    use crate::settings::LogFormat;
    use crate::time_zone::TimeZone;
    use crm_domain::instant::Instant;
    use crm_domain::ports::host::{Caller, Clock, NoCaller};
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    struct Stopped;
    impl Clock for Stopped {
        fn now(&self) -> Instant {
            Instant::parse("2025-07-08T01:30:45.9Z").unwrap()
        }
    }

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);
    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    struct OneRequest;
    impl Caller for OneRequest {
        fn address(&self) -> Option<String> {
            None
        }
        fn request_id(&self) -> Option<String> {
            Some("9f3a1c22".to_owned())
        }
    }

    fn logged(shape: LogFormat, say: impl FnOnce()) -> String {
        logged_for(Arc::new(NoCaller), shape, say)
    }

    fn logged_for(caller: Arc<dyn Caller>, shape: LogFormat, say: impl FnOnce()) -> String {
        let sink = Sink::default();
        let copy = sink.clone();
        let subscriber = tracing_subscriber::fmt()
            .event_format(LineFormat::new(
                shape,
                TimeZone::tokyo(),
                Arc::new(Stopped),
                caller,
            ))
            .with_writer(move || copy.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, say);
        String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_line_has_the_shape_of_the_specification() {
        let line = logged(LogFormat::Text, || {
            tracing::info!(target: "crm_web::webhook", "Activity recorded for customer {}", 123);
        });
        assert_eq!(
            line,
            "2025-07-08 10:30:45 INFO webhook Activity recorded for customer 123\n"
        );
    }

    #[test]
    fn a_line_break_in_a_value_makes_no_new_line() {
        let line = logged(LogFormat::Text, || {
            tracing::warn!(target: "crm_web::webhook", kind = "a\n2025 ERROR", count = 2, "odd");
        });
        assert_eq!(
            line,
            "2025-07-08 10:30:45 WARNING webhook odd kind=a\\n2025 ERROR count=2\n"
        );
    }

    #[test]
    fn json_has_the_same_in_fields() {
        let line = logged(LogFormat::Json, || {
            tracing::error!(target: "crm_web::webhook", count = 2, "odd");
        });
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        let expected = serde_json::json!({
            "time": "2025-07-08T10:30:45.900+09:00", "level": "ERROR", "module": "webhook", "message": "odd", "count": 2
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn a_line_about_a_request_carries_its_id() {
        let say = || tracing::info!(target: "crm_web::webhook", count = 2, "kept");
        let text = logged_for(Arc::new(OneRequest), LogFormat::Text, say);
        assert!(
            text.ends_with("INFO webhook kept count=2 request_id=9f3a1c22\n"),
            "{text}"
        );
        let json = logged_for(Arc::new(OneRequest), LogFormat::Json, say);
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["request_id"], "9f3a1c22");
    }
}
