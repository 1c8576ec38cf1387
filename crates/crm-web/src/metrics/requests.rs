//! How long answers take, by route, method and class of status.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use metrics::Histogram;
use poem::http::Method;

use super::names;
use super::registry::Registry;
use crate::api;

/// What a request was for that no route is for.
const UNMATCHED: &str = "unmatched";
/// What poem calls the rest of a path below a nested route that nothing is mounted at.
const REST: &str = "*--poem-rest";

/// The methods that are told apart; the last stands for all others.
const METHODS: [&str; 6] = ["GET", "POST", "PATCH", "DELETE", "HEAD", "other"];
/// The classes of status.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

type Cells = [[OnceLock<Histogram>; CLASSES.len()]; METHODS.len()];

/// The histograms, each made when it is first needed.
pub(super) struct Requests {
    registry: Arc<Registry>,
    routes: RwLock<HashMap<Arc<str>, Arc<Cells>>>,
}

impl Requests {
    /// None measured yet.
    pub(super) fn new(registry: Arc<Registry>) -> Self {
        Self {
            registry,
            routes: RwLock::default(),
        }
    }

    /// A request was answered by the route that was mounted under this pattern, if by any.
    pub(super) fn answered(&self, pattern: Option<&str>, method: &Method, status: u16, took: Duration) {
        let matched = |pattern: &&str| *pattern != api::BASE && !pattern.contains(REST);
        let pattern = pattern.filter(matched).unwrap_or(UNMATCHED);
        let others = METHODS.len() - 1;
        let method = METHODS.iter().position(|name| *name == method.as_str());
        let (method, class) = (method.unwrap_or(others), class(status));
        let known = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let cells = known.get(pattern).map(Arc::clone);
        drop(known);
        let cells = cells.unwrap_or_else(|| self.cells(pattern));
        cells[method][class]
            .get_or_init(|| {
                // So the API's service calls the only parameter that its paths have.
                let route = pattern.replace(":param0", ":id");
                let labels = [
                    ("route", route.as_str()),
                    ("method", METHODS[method]),
                    ("status", CLASSES[class]),
                ];
                self.registry.histogram(names::REQUESTS, &labels)
            })
            .record(took.as_secs_f64());
    }

    fn cells(&self, pattern: &str) -> Arc<Cells> {
        let mut known = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(pattern.into()).or_default())
    }
}

fn class(status: u16) -> usize {
    usize::from(status / 100).clamp(1, CLASSES.len()) - 1
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use poem::http::Method;

    use super::Requests;
    use crate::metrics::registry::Registry;

    fn requests() -> (Arc<Registry>, Requests) {
        let registry = Arc::new(Registry::new().unwrap());
        (Arc::clone(&registry), Requests::new(registry))
    }

    #[test]
    fn a_request_is_counted_under_its_pattern() {
        let (registry, requests) = requests();
        let route = Some("/customer/:id");
        requests.answered(route, &Method::GET, 200, Duration::from_millis(3));
        requests.answered(route, &Method::GET, 404, Duration::from_millis(3));
        requests.answered(None, &Method::OPTIONS, 404, Duration::from_millis(3));
        let nested = Some("/api/v1/*--poem-rest");
        requests.answered(nested, &Method::OPTIONS, 404, Duration::from_millis(3));
        let text = registry.text();
        let line = |labels: &str, value: &str| {
            let line = format!("crm_http_request_duration_seconds{labels} {value}");
            assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        };
        line(r#"_count{route="/customer/:id",method="GET",status="2xx"}"#, "1");
        line(r#"_count{route="/customer/:id",method="GET",status="4xx"}"#, "1");
        line(r#"_count{route="unmatched",method="other",status="4xx"}"#, "2");
        line(
            r#"_bucket{route="/customer/:id",method="GET",status="2xx",le="0.0025"}"#,
            "0",
        );
        line(
            r#"_bucket{route="/customer/:id",method="GET",status="2xx",le="0.005"}"#,
            "1",
        );
    }

    /// Far more than it takes on any machine, and far less than a request takes.
    #[test]
    fn counting_a_request_costs_next_to_nothing() {
        let (registry, requests) = requests();
        let route = Some("/customer/:id");
        let rounds = 20_000_u32;
        let begun = Instant::now();
        for _ in 0..rounds {
            requests.answered(route, &Method::GET, 200, Duration::from_millis(3));
        }
        let each = begun.elapsed() / rounds;
        registry.tidy();
        assert!(each < Duration::from_micros(50), "{each:?}");
    }
}
