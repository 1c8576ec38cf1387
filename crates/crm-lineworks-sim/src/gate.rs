//! What every operation of the REST API passes: bearer, rate limit, scope, in this order.

use crate::answers::{Refusal, with_standing};
use crate::rate::Standing;
use crate::state::Shared;
use poem::http::{HeaderMap, header};
use poem::{Request, Response};
use time::OffsetDateTime;

/// An operation of the API: it has its own rate limit and the scopes that allow it (one of them is enough).
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) scopes: &'static [&'static str],
}

impl Operation {
    /// Does `work` if the request may, and adds the rate-limit headers to whatever comes of it.
    ///
    /// Requests without a valid token belong to no tenant: they are not counted and carry no such headers.
    pub(crate) fn run(
        &self,
        shared: &Shared,
        request: &Request,
        work: impl FnOnce(OffsetDateTime) -> Result<Response, Refusal>,
    ) -> Response {
        let now = shared.now();
        let scopes = match bearer_scopes(shared, request.headers(), now) {
            Ok(scopes) => scopes,
            Err(refusal) => return refusal.into_response(),
        };
        let standing = self.count(shared, now);
        let outcome = match standing {
            Some(Standing { within: false, .. }) => Err(Refusal::too_many()),
            _ => self.allowed_by(&scopes).and_then(|()| work(now)),
        };
        let response = outcome.unwrap_or_else(Refusal::into_response);
        match standing {
            Some(standing) => with_standing(response, standing),
            None => response,
        }
    }

    fn count(&self, shared: &Shared, now: OffsetDateTime) -> Option<Standing> {
        let limit = shared.config.rate_limit;
        (limit > 0).then(|| shared.lock().windows.count(self.name, limit, now))
    }

    fn allowed_by(&self, scopes: &[String]) -> Result<(), Refusal> {
        if self
            .scopes
            .iter()
            .any(|wanted| scopes.iter().any(|scope| scope == wanted))
        {
            return Ok(());
        }
        Err(Refusal::forbidden(format!(
            "The scope must be one of: {}.",
            self.scopes.join(", ")
        )))
    }
}

/// The scopes of the bearer token: `Bearer`, exactly one space, a living token.
pub(crate) fn bearer_scopes(
    shared: &Shared,
    headers: &HeaderMap,
    now: OffsetDateTime,
) -> Result<Vec<String>, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Refusal::unauthorized("", "Authentication failed."));
    };
    let token = value
        .to_str()
        .ok()
        .and_then(|value| value.strip_prefix("Bearer "))
        .filter(|token| !token.is_empty() && !token.contains(char::is_whitespace))
        .ok_or_else(|| Refusal::unauthorized("invalid_request", "The authorization header is malformed."))?;
    let state = shared.lock();
    let grant = state.tokens.access(token, now);
    grant
        .map(|grant| grant.scopes.clone())
        .ok_or_else(|| Refusal::unauthorized("invalid_token", "The access token is invalid or expired."))
}
