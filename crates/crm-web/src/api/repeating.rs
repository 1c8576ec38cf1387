//! `Idempotency-Key`: a request that may come again, and answers that are the same each time.

use std::marker::PhantomData;
use std::sync::Arc;

use crm_domain::idempotency::{Answer, Asked, IdempotencyKey};
use crm_domain::use_cases::{Once, Repeat};
use poem::http::header::{CONTENT_TYPE, LOCATION};
use poem::http::{HeaderValue, StatusCode};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::payload::{Json, Payload};
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchemaRef, Registry,
};
use poem_openapi::types::{ToJSON, Type};

use crate::auth::Signed;
use crate::problem::Failure;

/// The header with the key.
pub(super) const KEY: &str = "Idempotency-Key";
/// The header of an answer that was given before.
const REPLAYED: &str = "Idempotency-Replayed";

/// What is to be answered once; `None` without a key.
pub(super) fn repeat<T>(
    by: &Signed,
    path: String,
    key: Option<&str>,
    body: [u8; 32],
    present: impl Fn(&T) -> Answer + Send + Sync + 'static,
) -> Result<Option<Repeat<T>>, Failure> {
    let key = IdempotencyKey::new(key.unwrap_or_default());
    let key = key.map_err(|_| Failure::Parameter(KEY))?;
    let asked = key.map(|key| Asked {
        member: by.member.id,
        method: "POST",
        path,
        key,
        body,
    });
    Ok(asked.map(|asked| Repeat {
        asked,
        present: Arc::new(present),
    }))
}

/// An answer as it is kept, and sent.
pub(super) fn answer<B: ToJSON>(status: StatusCode, location: String, body: &B) -> Answer {
    Answer {
        status: status.as_u16(),
        location: Some(location),
        body: body.to_json_string(),
    }
}

/// The answer to a `POST`, of this type and usually with this status.
pub(super) struct Answered<T, const STATUS: u16> {
    answer: Answer,
    replayed: bool,
    body: PhantomData<T>,
}

impl<T, const STATUS: u16> Answered<T, STATUS> {
    pub(super) fn new<D>(once: Once<D>, present: impl FnOnce(&D) -> Answer) -> Self {
        let (answer, replayed) = match once {
            Once::Done(done) => (present(&done), false),
            Once::Replayed(answer) => (answer, true),
        };
        Self {
            answer,
            replayed,
            body: PhantomData,
        }
    }
}

impl<T: Send, const STATUS: u16> IntoResponse for Answered<T, STATUS> {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.answer.status).unwrap_or(StatusCode::OK);
        let mut response = Response::builder()
            .status(status)
            .header(CONTENT_TYPE, Json::<String>::CONTENT_TYPE)
            .body(self.answer.body);
        let headers = response.headers_mut();
        if let Some(Ok(location)) = self.answer.location.map(HeaderValue::try_from) {
            headers.insert(LOCATION, location);
        }
        if self.replayed {
            headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
        }
        response
    }
}

impl<T: Type, const STATUS: u16> ApiResponse for Answered<T, STATUS> {
    fn meta() -> MetaResponses {
        let header = |name: &str, description: &str, schema: MetaSchemaRef| MetaHeader {
            name: name.to_owned(),
            description: Some(description.to_owned()),
            required: false,
            deprecated: false,
            schema,
        };
        MetaResponses {
            responses: vec![MetaResponse {
                description: "",
                status: Some(STATUS),
                status_range: None,
                content: vec![MetaMediaType {
                    content_type: "application/json",
                    schema: T::schema_ref(),
                }],
                headers: vec![
                    header("Location", "The record's address.", String::schema_ref()),
                    header(
                        REPLAYED,
                        "`true` when the same key came before: this is what was answered then.",
                        bool::schema_ref(),
                    ),
                ],
            }],
        }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}
