//! The recorder behind the counts, and what is drawn from it.

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder as _};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::{MetricsError, names};

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Times in buckets.
    Histogram,
}

/// Seconds that buckets end at, for answers to requests.
const REQUEST_BUCKETS: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0,
];
/// Seconds that buckets end at, for units of work.
const UNIT_BUCKETS: [f64; 12] = [
    0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0,
];

static METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// Where metrics live.
pub(super) struct Registry {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl Registry {
    /// An empty one that knows what each metric says.
    pub(super) fn new() -> Result<Self, MetricsError> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(names::REQUESTS.to_owned()), &REQUEST_BUCKETS)?
            .set_buckets_for_metric(Matcher::Full(names::UNITS.to_owned()), &UNIT_BUCKETS)?
            .build_recorder();
        for (name, kind, says) in names::ALL {
            let (name, says) = ((*name).into(), (*says).into());
            match kind {
                Kind::Counter => recorder.describe_counter(name, None, says),
                Kind::Gauge => recorder.describe_gauge(name, None, says),
                Kind::Histogram => recorder.describe_histogram(name, None, says),
            }
        }
        let handle = recorder.handle();
        Ok(Self { recorder, handle })
    }

    pub(super) fn counter(&self, name: &'static str, labels: &[(&'static str, &str)]) -> Counter {
        self.recorder.register_counter(&key(name, labels), &METADATA)
    }

    pub(super) fn gauge(&self, name: &'static str, labels: &[(&'static str, &str)]) -> Gauge {
        self.recorder.register_gauge(&key(name, labels), &METADATA)
    }

    pub(super) fn histogram(&self, name: &'static str, labels: &[(&'static str, &str)]) -> Histogram {
        self.recorder.register_histogram(&key(name, labels), &METADATA)
    }

    /// Everything in Prometheus' text form.
    pub(super) fn text(&self) -> String {
        self.handle.render()
    }

    /// Puts single measurements into their buckets, so that they take no memory.
    pub(super) fn tidy(&self) {
        self.handle.run_upkeep();
    }
}

fn key(name: &'static str, labels: &[(&'static str, &str)]) -> Key {
    let labels: Vec<Label> = labels
        .iter()
        .map(|(label, value)| Label::new(*label, (*value).to_owned()))
        .collect();
    Key::from_parts(name, labels)
}
