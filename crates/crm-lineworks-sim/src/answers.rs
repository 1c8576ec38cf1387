//! The answers of the service: its two shapes of error, and JSON.

use crate::rate::Standing;
use poem::Response;
use poem::http::{StatusCode, header};
use serde_json::{Value, json};

/// A refusal of the REST API: `{"code","description"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    code: &'static str,
    description: String,
    /// The value of `WWW-Authenticate`, with 401.
    challenge: Option<String>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, description: impl Into<String>) -> Self {
        Self {
            status,
            code,
            description: description.into(),
            challenge: None,
        }
    }

    pub(crate) fn invalid(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_PARAMETER", description)
    }

    pub(crate) fn missing(name: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "MISSING_PARAMETER",
            format!("{name} is required."),
        )
    }

    pub(crate) fn out_of_range(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "OUT_OF_RANGE", description)
    }

    /// The code that people have seen for texts and lists that are too long; the documented table has
    /// `LIMIT_EXCEEDED` for it.
    pub(crate) fn too_long(name: &str, limit: usize) -> Self {
        let description = format!("{name} exceeds the limit of {limit}.");
        Self::new(
            StatusCode::BAD_REQUEST,
            "EXCEEDED_LENGTH_LIMIT_OF_PARAM",
            description,
        )
    }

    pub(crate) fn limit_exceeded(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "LIMIT_EXCEEDED", description)
    }

    pub(crate) fn unparsable() -> Self {
        Self::invalid("Request body cannot be parsed.")
    }

    pub(crate) fn unauthorized(error: &str, description: &str) -> Self {
        let mut refusal = Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", description);
        refusal.challenge = Some(if error.is_empty() {
            "Bearer".to_owned()
        } else {
            format!("Bearer error=\"{error}\", error_description=\"{description}\"")
        });
        refusal
    }

    pub(crate) fn forbidden(description: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", description)
    }

    pub(crate) fn bot_denied() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "ACCESS_DENIED",
            "Access is denied for bot.",
        )
    }

    pub(crate) fn not_found(description: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", description)
    }

    pub(crate) fn user_not_exist() -> Self {
        Self::new(StatusCode::NOT_FOUND, "USER_NOT_EXIST", "User not exist.")
    }

    pub(crate) fn conflict(description: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "CONFLICT", description)
    }

    pub(crate) fn too_many() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "TOO_MANY_REQUESTS",
            "API rate limit exceeded",
        )
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL_SERVER_ERROR",
            "Internal server error.",
        )
    }

    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::not_found("Not found."),
            StatusCode::METHOD_NOT_ALLOWED => Self::new(status, "METHOD_NOT_ALLOWED", "Method not allowed."),
            _ => Self::new(status, "BAD_REQUEST", "Bad request."),
        }
    }

    pub(crate) fn into_response(self) -> Response {
        let mut response = json_answer(
            self.status,
            &json!({"code": self.code, "description": self.description}),
        );
        if let Some(challenge) = self.challenge.and_then(|text| text.parse().ok()) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// A refusal of the token endpoint: `{"error","error_description"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OAuthRefusal {
    status: StatusCode,
    error: &'static str,
    description: String,
}

impl OAuthRefusal {
    fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error,
            description: description.into(),
        }
    }

    pub(crate) fn invalid_request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    pub(crate) fn invalid_client() -> Self {
        let refusal = Self::new("invalid_client", "Client authentication failed.");
        Self {
            status: StatusCode::UNAUTHORIZED,
            ..refusal
        }
    }

    pub(crate) fn invalid_grant(description: impl Into<String>) -> Self {
        Self::new("invalid_grant", description)
    }

    pub(crate) fn unsupported_grant_type() -> Self {
        Self::new("unsupported_grant_type", "Grant type is not supported.")
    }

    pub(crate) fn invalid_scope() -> Self {
        Self::new("invalid_scope", "Request scope is not valid.")
    }

    pub(crate) fn server_error() -> Self {
        let refusal = Self::new("server_error", "Internal server error.");
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            ..refusal
        }
    }

    pub(crate) fn into_response(self) -> Response {
        json_answer(
            self.status,
            &json!({"error": self.error, "error_description": self.description}),
        )
    }
}

/// A JSON answer.
pub(crate) fn json_answer(status: StatusCode, body: &Value) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json;charset=UTF-8")
        .body(body.to_string())
}

/// Adds the rate-limit headers.
pub(crate) fn with_standing(mut response: Response, standing: Standing) -> Response {
    let headers = response.headers_mut();
    headers.insert("ratelimit-limit", standing.limit.into());
    headers.insert("ratelimit-remaining", standing.remaining.into());
    headers.insert("ratelimit-reset", standing.reset.into());
    response
}
