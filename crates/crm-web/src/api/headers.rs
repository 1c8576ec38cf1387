//! Headers that must not be overlooked: who gives a condition or a key that cannot be read wants nothing done without it.

use std::sync::Arc;

use crm_domain::error::Error;
use poem::endpoint::Endpoint;
use poem::http::header::IF_MATCH;
use poem::{IntoResponse, Request, Response, Result};

use super::repeating::KEY;
use crate::problem::Failure;

/// Refuses a request whose headers the framework would pass over.
pub(super) async fn checked<E: Endpoint>(endpoint: Arc<E>, request: Request) -> Result<Response> {
    let mut keys = request.headers().get_all(KEY).iter();
    let key = keys.next();
    if keys.next().is_some() || key.is_some_and(|key| key.to_str().is_err()) {
        return Err(Failure::Parameter(KEY).into());
    }
    let mut conditions = request.headers().get_all(IF_MATCH).iter();
    let condition = conditions.next();
    if conditions.next().is_some() || condition.is_some_and(|tags| tags.to_str().is_err()) {
        return Err(Failure::from(Error::NotAsExpected).into());
    }
    endpoint.call(request).await.map(IntoResponse::into_response)
}
