//! Asking for an access token (§4.2.2).

use std::time::Instant;

use crm_domain::ports::messenger::SendProblem;
use serde::Deserialize;
use serde_json::Value;

use crate::encode;
use crate::heard::heard;
use crate::http::{Answer, Headers, Http};
use crate::jwt::Assertions;
use crate::outcome::{self, ServiceTrouble};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// How far the clock here may be from that of LINE WORKS before a refusal is put down to it.
const CLOCKS_AGREE: time::Duration = time::Duration::minutes(1);

/// What the token service granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenInfo {
    /// The scopes, as the service names them; empty if it does not say.
    pub scope: String,
    /// How many seconds the token lives, if the service says so.
    pub expires_in: Option<u64>,
}

/// A token as issued.
pub(crate) struct Issued {
    pub(crate) text: String,
    pub(crate) info: TokenInfo,
}

/// Everything that the form holds and where it goes.
pub(crate) struct TokenRequest {
    pub(crate) url: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) scope: String,
    pub(crate) assertions: Assertions,
}

#[derive(Deserialize)]
struct Grant {
    access_token: String,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    expires_in: Value,
}

impl TokenRequest {
    /// Asks once; when it is refused and the clock here is wrong, once more by the time of LINE WORKS. Blocking.
    pub(crate) fn ask(
        &self,
        http: &Http,
        now: crm_domain::instant::Instant,
        deadline: Instant,
    ) -> Result<Issued, ServiceTrouble> {
        let answer = self.ask_at(http, now, deadline)?;
        match time_there(&answer, now) {
            Some(there) => read(self.ask_at(http, there, deadline)?),
            None => read(answer),
        }
    }

    fn ask_at(
        &self,
        http: &Http,
        now: crm_domain::instant::Instant,
        deadline: Instant,
    ) -> Result<Answer, ServiceTrouble> {
        let assertion = self
            .assertions
            .sign(now)
            .map_err(|_| ServiceTrouble::unanswered(SendProblem::CredentialsRefused))?;
        let form = encode::form(&[
            ("assertion", &assertion),
            ("grant_type", GRANT_TYPE),
            ("client_id", &self.client_id),
            ("client_secret", &self.client_secret),
            ("scope", &self.scope),
        ]);
        let headers = Headers {
            content_type: "application/x-www-form-urlencoded",
            bearer: None,
        };
        http.post(&self.url, &headers, form, deadline)
            .map_err(|lost| ServiceTrouble::unanswered(outcome::problem_of_lost(lost.why)))
    }
}

/// The time that a refusal tells, if it is far from `now`: what was signed here lies in the future there, or is past.
fn time_there(answer: &Answer, now: crm_domain::instant::Instant) -> Option<crm_domain::instant::Instant> {
    let there = matches!(answer.status, 400 | 401 | 403).then(|| heard(answer).at)??;
    let apart = there.since(now);
    (apart.abs() > CLOCKS_AGREE).then(|| {
        let seconds = apart.whole_seconds();
        tracing::warn!(
            "the clock of LINE WORKS is {seconds} s ahead of this machine's: please set this machine's clock"
        );
        there
    })
}

fn read(answer: Answer) -> Result<Issued, ServiceTrouble> {
    let status = answer.status;
    if !(200..300).contains(&status) {
        return Err(ServiceTrouble::answered(answer, |code| problem_of(status, code)));
    }
    let nonsense = || ServiceTrouble {
        status: Some(status),
        ..ServiceTrouble::unanswered(SendProblem::TokenUnavailable)
    };
    let body = answer.into_body().map_err(|_| nonsense())?;
    let grant: Grant = serde_json::from_slice(&body).map_err(|_| nonsense())?;
    let sendable = !grant.access_token.is_empty() && grant.access_token.bytes().all(|b| b.is_ascii_graphic());
    if !sendable {
        return Err(nonsense());
    }
    let info = TokenInfo {
        scope: grant.scope.unwrap_or_default(),
        expires_in: seconds(&grant.expires_in),
    };
    Ok(Issued {
        text: grant.access_token,
        info,
    })
}

/// `expires_in` is documented as a number and comes as a string of digits.
fn seconds(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn problem_of(status: u16, code: &str) -> SendProblem {
    match (status, code) {
        (_, "invalid_scope") => SendProblem::ScopeRefused,
        (300..=399, _) => SendProblem::Redirected,
        (429, _) => SendProblem::RateLimited,
        (400 | 401 | 403, _) => SendProblem::CredentialsRefused,
        (402..=499, code) if !code.is_empty() => SendProblem::CredentialsRefused,
        _ => SendProblem::TokenUnavailable,
    }
}
