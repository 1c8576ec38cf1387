//! What people and programs see of it.

use crm_domain::members::Locale;

use super::ip_range::IpRange;
use super::problem::Fault;
use super::reader::{Reader, choice, list, number};
use crate::time_zone::TimeZone;

/// Requests a minute per token when nothing is said.
const RATE_LIMIT: u32 = 6_000;

/// Language, time zone, limits.
#[derive(Debug, Clone)]
pub struct WebSettings {
    /// In which times are shown and days begin.
    pub time_zone: TimeZone,
    /// The language where a person made no choice.
    pub locale: Locale,
    /// The firm's own name, shown beside the product's.
    pub firm_name: Option<String>,
    /// Requests a minute per token; `None`: no limit.
    pub api_rate_limit: Option<u32>,
    /// Who may read `/metrics` without a token.
    pub metrics_allowed_ips: Vec<IpRange>,
}

impl Default for WebSettings {
    fn default() -> Self {
        Self {
            time_zone: TimeZone::tokyo(),
            locale: Locale::Ja,
            firm_name: None,
            api_rate_limit: Some(RATE_LIMIT),
            metrics_allowed_ips: loopback(),
        }
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> WebSettings {
    let default = WebSettings::default();
    WebSettings {
        time_zone: reader.parsed("CRM_TIMEZONE", default.time_zone, |text| {
            TimeZone::named(text).ok_or_else(|| Fault::UnknownZone {
                given: text.to_owned(),
            })
        }),
        locale: reader.parsed("CRM_LOCALE", default.locale, locale),
        firm_name: reader.text("CRM_FIRM_NAME"),
        api_rate_limit: Some(reader.parsed("CRM_API_RATE_LIMIT", RATE_LIMIT, |text| number(text, 0)))
            .filter(|limit| *limit > 0),
        metrics_allowed_ips: reader.parsed("CRM_METRICS_ALLOWED_IPS", default.metrics_allowed_ips, |text| {
            list(text, IpRange::parse)
        }),
    }
}

fn locale(text: &str) -> Result<Locale, Fault> {
    choice(text, &[("ja", Locale::Ja), ("en", Locale::En)], "ja, en")
}

fn loopback() -> Vec<IpRange> {
    ["127.0.0.0/8", "::1/128"]
        .into_iter()
        .filter_map(|range| IpRange::parse(range).ok())
        .collect()
}
