//! Why a request was not answered as asked, and how that is told: as a page, as JSON for our scripts, or as
//! `application/problem+json` for programs.

use crm_domain::error::Error;
use crm_domain::id::NotAnId;
use crm_domain::paging::NotACursor;
use crm_domain::permissions::Denied;
use crm_domain::ports::store::StoreError;
use crm_domain::ports::vault::VaultError;
use crm_domain::values::FieldError;
use poem::error::ResponseError;
use poem::http::{StatusCode, header};
use poem::{Body, Response};
use poem_openapi::error::{ParseParamError, ParsePathError};
use serde_json::{Value, json};

use crate::i18n::{Language, catalogue};
use crate::sentence::Sentence;
use crate::server::{BodyRefused, request_id};

/// Why a request was not answered as asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A use case said no.
    #[error(transparent)]
    Refused(#[from] Error),
    /// Nobody is signed in.
    #[error("not signed in")]
    NotSignedIn,
    /// The token in `Authorization` is none, or not any more.
    #[error("the token is not valid")]
    BadToken,
    /// The request was not made on a page of ours, or the page is too old.
    #[error("the request does not come from a page of this server")]
    Forged,
    /// There is no such address.
    #[error("no such page")]
    NoSuchPage,
    /// The address cannot be used in this way.
    #[error("the method is not allowed here")]
    WrongMethod,
    /// The request cannot be read.
    #[error("the request cannot be read")]
    Malformed,
    /// A query parameter cannot be read.
    #[error("the parameter {0} cannot be read")]
    Parameter(&'static str),
    /// Fields of the body, by name and code, cannot be read.
    #[error("{} field(s) cannot be read", .0.len())]
    Fields(Vec<(String, &'static str)>),
    /// The body is of a type that is not understood here.
    #[error("the type of the body is not understood here")]
    WrongType,
    /// The body was not taken.
    #[error(transparent)]
    Body(#[from] BodyRefused),
    /// The token asked for more than it may in a minute.
    #[error("too many requests")]
    TooManyRequests {
        /// Seconds until there is room again.
        retry_after: u32,
    },
    /// `/metrics` needs a token, or an address that is allowed.
    #[error("/metrics needs a token or an address of CRM_METRICS_ALLOWED_IPS")]
    MetricsClosed,
    /// The demonstration answers only on this machine.
    #[error("this address is not served")]
    WrongHost,
    /// A mistake of ours.
    #[error("{0}")]
    Broken(&'static str),
    /// A page could not be drawn.
    #[error("a page could not be drawn: {0}")]
    Drawing(#[from] minijinja::Error),
}

impl Failure {
    /// The status that says so.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Refused(error) => status_of(error),
            Self::NotSignedIn | Self::BadToken => StatusCode::UNAUTHORIZED,
            Self::Forged | Self::MetricsClosed => StatusCode::FORBIDDEN,
            Self::NoSuchPage => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Malformed | Self::Parameter(_) => StatusCode::BAD_REQUEST,
            Self::Fields(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::WrongType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Body(refused) => refused.status(),
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Broken(_) | Self::Drawing(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Stable name: catalogue key `error.<code>` where there is one, and the API's code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(error) => error.code(),
            Self::NotSignedIn => "not_signed_in",
            Self::BadToken => "bad_token",
            Self::Forged => "csrf",
            Self::NoSuchPage => "not_found",
            Self::WrongMethod => "method_not_allowed",
            Self::Malformed | Self::Body(BodyRefused::Broken) => "malformed",
            Self::Parameter(_) | Self::Fields(_) => "invalid",
            Self::WrongType => "unsupported_type",
            Self::Body(BodyRefused::TooLarge) => "too_large",
            Self::Body(BodyRefused::TooSlow) => "too_slow",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::WrongHost => "wrong_host",
            Self::MetricsClosed => "metrics_closed",
            Self::Broken(_) | Self::Drawing(_) => "internal",
        }
    }

    /// The fields that are wrong, by name and code.
    pub fn fields(&self) -> Vec<(&str, &'static str)> {
        match self {
            Self::Refused(Error::Invalid(errors) | Error::Alike(errors)) => errors
                .iter()
                .map(|FieldError { field, problem }| (*field, problem.code()))
                .collect(),
            Self::Parameter(name) => vec![(name, "malformed")],
            Self::Fields(wrong) => wrong
                .iter()
                .map(|(field, code)| (field.as_str(), *code))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Seconds to wait before trying again, if that is known.
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Refused(Error::TooManySignIns { retry_after }) | Self::TooManyRequests { retry_after } => {
                Some(*retry_after)
            }
            Self::Refused(Error::Store(_)) => Some(5),
            _ => None,
        }
    }

    /// What a framework's error means.
    pub fn of(error: &poem::Error) -> Failure {
        if let Some(parameter) = error.downcast_ref::<ParseParamError>() {
            // A path with an id that is no number names no record.
            return if parameter.name == "id" {
                Self::NoSuchPage
            } else {
                Self::Parameter(parameter.name)
            };
        }
        if error.is::<ParsePathError>() {
            return Self::NoSuchPage;
        }
        match error.status() {
            StatusCode::NOT_FOUND => Self::NoSuchPage,
            StatusCode::METHOD_NOT_ALLOWED => Self::WrongMethod,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::WrongType,
            StatusCode::UNAUTHORIZED => Self::NotSignedIn,
            StatusCode::PAYLOAD_TOO_LARGE => Self::Body(BodyRefused::TooLarge),
            status if status.is_client_error() => Self::Malformed,
            _ => Self::Broken("the framework failed"),
        }
    }

    /// The sentence for people.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::Refused(error) => Sentence::error(error),
            other => Sentence::of(format!("error.{}", other.code())),
        }
    }

    /// For our scripts and small JSON routes.
    pub fn as_json(&self, language: Language) -> Response {
        let sentence = self.sentence().words(catalogue(language));
        let body = json!({"success": false, "message": sentence, "error": sentence, "code": self.code(),
            "request_id": request_id()});
        self.respond("application/json; charset=utf-8", &body)
    }

    /// For programs, by RFC 9457.
    pub fn as_problem(&self) -> Response {
        let status = self.status();
        let errors: Vec<Value> = self
            .fields()
            .iter()
            .map(|(field, code)| json!({"field": field, "code": code}))
            .collect();
        let body = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "code": self.code(),
            "errors": errors,
            "request_id": request_id(),
        });
        self.respond("application/problem+json", &body)
    }

    fn respond(&self, content_type: &str, body: &Value) -> Response {
        let mut response = Response::builder()
            .status(self.status())
            .header(header::CONTENT_TYPE, content_type)
            .body(Body::from_string(body.to_string()));
        self.add_headers(&mut response);
        response
    }

    /// The headers that go with the status.
    pub fn add_headers(&self, response: &mut Response) {
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            let scheme = header::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
    }
}

/// An error and what caused it, for the log.
pub fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text.push_str(": ");
        text.push_str(&deeper.to_string());
        cause = deeper.source();
    }
    text
}

/// The status with which a form comes back, so that nothing typed is lost: its fields are wrong, or the database fails,
/// which is told to the log too. `None` for what is told on a page of its own.
pub(crate) fn status_of_refusal(error: &Error) -> Option<StatusCode> {
    match error {
        Error::Invalid(_) => Some(StatusCode::UNPROCESSABLE_ENTITY),
        Error::Store(StoreError::Unavailable(_) | StoreError::Uncertain) => {
            tracing::error!("a form could not be saved: {}", causes(error));
            Some(StatusCode::SERVICE_UNAVAILABLE)
        }
        _ => None,
    }
}

fn status_of(error: &Error) -> StatusCode {
    match error {
        Error::Denied(_) => StatusCode::FORBIDDEN,
        Error::NotFound(_) | Error::LinkSpent => StatusCode::NOT_FOUND,
        Error::Invalid(_) | Error::KeyUsed | Error::NoAddress | Error::SignInRefused | Error::SignInOver => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Error::NotAsExpected => StatusCode::PRECONDITION_FAILED,
        Error::Alike(_)
        | Error::Stale
        | Error::Held
        | Error::UnderWay(_)
        | Error::FactorOn
        | Error::HandledBy(_)
        | Error::LastAdministrator(_)
        | Error::Messenger(_) => StatusCode::CONFLICT,
        Error::TooManySignIns { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Store(StoreError::Unavailable(_) | StoreError::Uncertain)
        | Error::Vault(VaultError::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Store(_) | Error::Vault(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl ResponseError for Failure {
    fn status(&self) -> StatusCode {
        Failure::status(self)
    }

    fn as_response(&self) -> Response {
        self.as_problem()
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        Self::Refused(denied.into())
    }
}

impl From<NotAnId> for Failure {
    fn from(_: NotAnId) -> Self {
        Self::NoSuchPage
    }
}

impl From<NotACursor> for Failure {
    fn from(_: NotACursor) -> Self {
        Self::Parameter("after")
    }
}

#[cfg(test)]
mod tests {
    use crm_domain::error::Error;

    use super::Failure;
    use crate::i18n::{Language, catalogue};
    use crate::server::BodyRefused;

    #[test]
    fn every_failure_has_its_sentence() {
        let failures = [
            Failure::Refused(Error::Stale),
            Failure::NotSignedIn,
            Failure::BadToken,
            Failure::Forged,
            Failure::NoSuchPage,
            Failure::WrongMethod,
            Failure::Malformed,
            Failure::Parameter("limit"),
            Failure::Fields(Vec::new()),
            Failure::WrongType,
            Failure::Body(BodyRefused::TooLarge),
            Failure::Body(BodyRefused::TooSlow),
            Failure::Body(BodyRefused::Broken),
            Failure::TooManyRequests { retry_after: 1 },
            Failure::WrongHost,
            Failure::MetricsClosed,
            Failure::Broken("x"),
        ];
        for failure in failures {
            let key = failure.sentence().key;
            assert!(
                catalogue(Language::Ja).get(&key).is_some(),
                "{failure:?} has no words: {key}"
            );
        }
    }
}
