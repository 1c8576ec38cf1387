//! Reading request bodies: their size and, for JSON, their type.

use crate::answers::Refusal;
use poem::http::{HeaderMap, header};
use poem::{Body, error::ReadBodyError};
use serde_json::{Map, Value};

/// The largest JSON or form body. The documentation names none; no documented message comes near.
pub(crate) const JSON_LIMIT: usize = 1024 * 1024;

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read(body: Body, limit: usize) -> Result<Vec<u8>, Refusal> {
    match body.into_bytes_limit(limit).await {
        Ok(bytes) => Ok(bytes.into()),
        Err(ReadBodyError::PayloadTooLarge) => Err(Refusal::limit_exceeded("The request body is too large.")),
        Err(_) => Err(Refusal::unparsable()),
    }
}

/// The value of `Content-Type`.
pub(crate) fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()
}

/// A JSON object that was sent as `application/json` in UTF-8.
pub(crate) fn object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let mut parts = content_type(headers)
        .unwrap_or_default()
        .split(';')
        .map(str::trim);
    let is_json = parts
        .next()
        .is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    let is_utf8 = parts.all(|parameter| {
        parameter.split_once('=').is_none_or(|(name, value)| {
            !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
    });
    if !is_json || !is_utf8 {
        return Err(Refusal::unparsable());
    }
    serde_json::from_slice(body).map_err(|_| Refusal::unparsable())
}
