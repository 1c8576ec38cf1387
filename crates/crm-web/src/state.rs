//! What every handler works with: the product, the settings of the web and the signals between requests and workers.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crm_domain::members::Locale;
use crm_domain::ports::host::{Machine, Secrets};
use crm_domain::use_cases::Crm;
use poem::{FromRequest, Request, RequestBody};
use time::UtcOffset;

use crate::auth::{Allowance, Keys, Origins};
use crate::backup_watch::LastLook;
use crate::demo::Demo;
use crate::i18n::Language;
use crate::live::Hub;
use crate::metrics::{Metrics, MetricsError};
use crate::problem::Failure;
use crate::server::{Networks, RequestCaller, RequestIds, SpanTools, Stop};
use crate::templates::Templates;
use crate::workers::Signals;

pub use crate::format::Zone;

/// The settings that concern the web.
#[derive(Clone)]
pub struct WebSettings {
    /// What browsers may call the server (`CRM_PUBLIC_URL`).
    pub origins: Origins,
    /// The time zone in which times are shown and days begin.
    pub zone: Zone,
    /// The language of whoever chose none.
    pub locale: Locale,
    /// The firm's own name beside the product's.
    pub firm_name: Option<String>,
    /// Whose `X-Forwarded-…` headers are believed.
    pub trusted_proxies: Networks,
    /// Who may read `/metrics` without a token.
    pub metrics_networks: Networks,
    /// What spans need that tracing does not offer.
    pub spans: SpanTools,
    /// From where callbacks are taken; from everywhere when empty.
    pub callback_networks: Networks,
    /// Whether customers are made of unknown senders (`LINE_WORKS_UNKNOWN_SENDER`).
    pub register_senders: bool,
    /// How long a request waits for the outcome of its message.
    pub send_wait: Duration,
}

/// What the program is made of; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Whole>);

struct Whole {
    parts: Parts,
    ids: RequestIds,
    metrics: Metrics,
    backups: LastLook,
}

/// The parts of an [`App`].
pub struct Parts {
    /// The use cases.
    pub crm: Crm,
    /// The settings of the web.
    pub settings: WebSettings,
    /// The pages.
    pub templates: Templates,
    /// Proves tokens and browsers.
    pub keys: Keys,
    /// How much each token may ask for.
    pub allowance: Allowance,
    /// The machine it runs on.
    pub machine: Arc<dyn Machine>,
    /// Randomness.
    pub secrets: Arc<dyn Secrets>,
    /// Wakes workers, and requests that wait for them.
    pub signals: Signals,
    /// Tells open pages what changed.
    pub live: Hub,
    /// Says when the server stops.
    pub stop: Stop,
    /// The demonstration's phone, when this is the demonstration.
    pub demo: Option<Arc<dyn Demo>>,
}

impl App {
    /// Puts the parts together.
    pub fn new(mut parts: Parts) -> Result<Self, MetricsError> {
        let metrics = Metrics::new()?;
        parts.crm = parts
            .crm
            .asked_through(Arc::new(RequestCaller))
            .watched(|store| metrics.timed(store));
        let ids = RequestIds::new(parts.secrets.as_ref());
        Ok(Self(Arc::new(Whole {
            parts,
            ids,
            metrics,
            backups: LastLook::default(),
        })))
    }

    /// What the program counts and measures of itself.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// What the pages have to know of backups.
    pub(crate) fn backups(&self) -> &LastLook {
        &self.0.backups
    }

    /// Makes the ids of requests.
    pub(crate) fn ids(&self) -> &RequestIds {
        &self.0.ids
    }

    /// The offset of the configured time zone now.
    pub fn offset(&self) -> UtcOffset {
        (self.settings.zone)(self.crm.now())
    }

    /// The language of whoever made no choice.
    pub fn language(&self) -> Language {
        language_of(self.settings.locale)
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}

/// The catalogue for a member's or the installation's choice.
pub fn language_of(locale: Locale) -> Language {
    match locale {
        Locale::Ja => Language::Ja,
        Locale::En => Language::En,
    }
}

impl<'a> FromRequest<'a> for App {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(App::of(request)?)
    }
}

impl App {
    /// The app that serves this request.
    pub fn of(request: &Request) -> Result<App, Failure> {
        request
            .extensions()
            .get::<App>()
            .cloned()
            .ok_or(Failure::Broken("request without its app"))
    }
}
