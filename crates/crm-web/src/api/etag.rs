//! `ETag` for what is read: a hash of the representation, so that an unchanged one need not be sent again.

use std::sync::Arc;

use crm_domain::use_cases::Expected;
use poem::endpoint::Endpoint;
use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Body, Error, IntoResponse, Request, Response, Result};
use ring::digest::{SHA256, digest};

/// Answers with the tag, or with 304 when the asker has the same already.
pub(super) async fn tagged<E: Endpoint>(endpoint: Arc<E>, mut request: Request) -> Result<Response> {
    let read = matches!(*request.method(), Method::GET | Method::HEAD);
    // What was written is answered as it is read.
    let written = matches!(*request.method(), Method::POST | Method::PATCH);
    let head_only = *request.method() == Method::HEAD;
    if head_only {
        // The tag is that of the representation, which only GET makes.
        request.set_method(Method::GET);
    }
    let has = read
        .then(|| request.headers().get(header::IF_NONE_MATCH).cloned())
        .flatten();
    let mut response = endpoint.call(request).await?.into_response();
    let whole = matches!(response.status(), StatusCode::OK | StatusCode::CREATED);
    if !(read || written) || !whole {
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

/// The condition of `If-Match`: that one of its tags is that of what is stored, as `GET` would answer it.
pub(super) fn expected<T>(
    if_match: Option<String>,
    represent: impl Fn(&T) -> String + Send + Sync + 'static,
) -> Option<Expected<T>> {
    let tags = if_match?;
    Some(Arc::new(move |stored: &T| {
        let tag = tag_of(represent(stored).as_bytes());
        tags.split(',').map(str::trim).any(|one| one == tag || one == "*")
    }))
}

fn tag_of(body: &[u8]) -> String {
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
