//! `ETag` for what is read: a hash of the representation, so that an unchanged one need not be sent again.

use std::sync::Arc;

use bytes::Bytes;
use poem::endpoint::Endpoint;
use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Body, Error, IntoResponse, Request, Response, Result};
use ring::digest::{SHA256, digest};

/// Answers with the tag, or with 304 when the asker has the same already.
pub(super) async fn tagged<E: Endpoint>(endpoint: Arc<E>, mut request: Request) -> Result<Response> {
    let read = matches!(*request.method(), Method::GET | Method::HEAD);
    let head_only = *request.method() == Method::HEAD;
    if head_only {
        // The tag is that of the representation, which only GET makes.
        request.set_method(Method::GET);
    }
    let has = read
        .then(|| request.headers().get(header::IF_NONE_MATCH).cloned())
        .flatten();
    let mut response = endpoint.call(request).await?.into_response();
    if !read || response.status() != StatusCode::OK {
        return Ok(response);
    }
    let body = response
        .take_body()
        .into_bytes()
        .await
        .map_err(|_| Error::from_status(StatusCode::INTERNAL_SERVER_ERROR))?;
    let tag = tag_of(&body);
    let unchanged = has.is_some_and(|has| names(&has, &tag));
    let headers = response.headers_mut();
    add(headers, &tag);
    if unchanged {
        headers.remove(header::CONTENT_TYPE);
        response.set_status(StatusCode::NOT_MODIFIED);
        return Ok(response);
    }
    if !head_only {
        response.set_body(Body::from(body));
    }
    Ok(response)
}

fn tag_of(body: &Bytes) -> String {
    let hash = digest(&SHA256, body);
    let short = hash
        .as_ref()
        .first_chunk()
        .copied()
        .map_or(0, u128::from_be_bytes);
    format!("\"{short:032x}\"")
}

fn add(headers: &mut HeaderMap, tag: &str) {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    // It may be kept by the asker alone, and is asked for again each time.
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    headers.insert(header::VARY, HeaderValue::from_static("Authorization, Cookie"));
}

/// Whether `If-None-Match` names this tag.
fn names(has: &HeaderValue, tag: &str) -> bool {
    let has = has.to_str().unwrap_or_default();
    has.split(',')
        .map(|one| one.trim().trim_start_matches("W/"))
        .any(|one| one == tag || one == "*")
}
