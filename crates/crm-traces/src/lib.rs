#![doc = include_str!("../README.md")]

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use opentelemetry::KeyValue;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use tracing::{Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::registry::LookupSpan;

/// What is traced: spans with this target, and nothing else.
pub const TARGET: &str = "crm_web::trace";

/// Where a collector takes traces, below its address.
const PATH: &str = "/v1/traces";
/// How long a span waits for others to leave with it.
const GATHER: Duration = Duration::from_secs(1);
/// How long a collector may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the last spans may take when the program ends.
const FAREWELL: Duration = Duration::from_secs(2);
/// How often it is said that a collector does not take them.
const SAID_EVERY: Duration = Duration::from_mins(1);

/// Traces cannot be sent to this address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoTraces(String);

impl fmt::Display for NoTraces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoTraces {}

/// Sends traces as long as it lives; what waits is sent when it is dropped.
pub struct Traces(SdkTracerProvider);

impl Drop for Traces {
    fn drop(&mut self) {
        // What is lost now is lost.
        let _ = self.0.shutdown_with_timeout(FAREWELL);
    }
}

impl Traces {
    /// Begins to send traces to the collector at this address, which ends without a slash.
    pub fn start(url: &str) -> Result<Self, NoTraces> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{url}{PATH}"))
            .with_timeout(PATIENCE)
            .with_http_client(Sender::new())
            .build()
            .map_err(|error| NoTraces(error.to_string()))?;
        let batches = BatchConfigBuilder::default().with_scheduled_delay(GATHER).build();
        let processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(batches)
            .build();
        let resource = Resource::builder_empty()
            .with_service_name("crm-web")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_resource(resource)
            .build();
        Ok(Self(provider))
    }

    /// Takes the spans up.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("crm-web"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(filter_fn(is_ours).with_max_level_hint(LevelFilter::INFO))
    }
}

fn is_ours(meta: &Metadata<'_>) -> bool {
    meta.is_span() && meta.target() == TARGET
}

/// Makes a span go on with a caller's trace, as its `traceparent` header tells; one that is malformed is passed over.
pub fn follow(span: &Span, traceparent: &str) {
    struct Header<'a>(&'a str);
    impl Extractor for Header<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            (key == "traceparent").then_some(self.0)
        }
        fn keys(&self) -> Vec<&str> {
            vec!["traceparent"]
        }
    }
    let parent = TraceContextPropagator::new().extract(&Header(traceparent));
    // A span that is not traced has no parent either.
    let _ = span.set_parent(parent);
}

/// Gives a span another name: that of a request is known only when its route is found.
pub fn rename(span: &Span, name: String) {
    span.context().span().update_name(name);
}

/// Speaks with the collector by the client that LINE WORKS is reached with too: one TLS in the program. Called on the
/// exporter's own thread, which may wait.
#[derive(Debug)]
struct Sender {
    agent: ureq::Agent,
    begun: Instant,
    /// When trouble was last told: milliseconds since the beginning, plus one.
    told: AtomicU64,
}

impl Sender {
    fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(None)
            .build();
        Self {
            agent: ureq::Agent::new_with_config(config),
            begun: Instant::now(),
            told: AtomicU64::new(0),
        }
    }

    fn tell(&self, trouble: &str) {
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let told = self.told.load(Relaxed);
        let long_ago = u128::from(now.saturating_sub(told)) >= SAID_EVERY.as_millis();
        if told == 0 || long_ago {
            self.told.store(now + 1, Relaxed);
            tracing::warn!("traces are lost: the collector of CRM_OTLP_URL does not take them: {trouble}");
        }
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts, body.to_vec());
        let outcome = self.agent.run(request);
        let response = outcome.inspect_err(|error| self.tell(&error.to_string()))?;
        let (parts, mut body) = response.into_parts();
        if !parts.status.is_success() {
            self.tell(&parts.status.to_string());
        }
        let bytes = body.read_to_vec()?;
        Ok(Response::from_parts(parts, bytes.into()))
    }
}
