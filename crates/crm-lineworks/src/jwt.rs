//! The assertion by which the service account proves itself (§4.2.1).

use crm_domain::instant::Instant;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use crate::crypto;

/// How far `iat` is put back, in seconds: a clock that is a little fast must not sign in the future.
const BACKDATED: i64 = 30;
/// The longest that an assertion may live, in seconds.
const LIFE: i64 = 3_600;

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
}

/// Signs assertions of one service account.
pub(crate) struct Assertions {
    key: EncodingKey,
    client_id: String,
    service_account: String,
}

impl Assertions {
    pub(crate) fn new(key: EncodingKey, client_id: &str, service_account: &str) -> Self {
        crypto::install();
        Self {
            key,
            client_id: client_id.to_owned(),
            service_account: service_account.to_owned(),
        }
    }

    /// A signed assertion that is good for an hour.
    pub(crate) fn sign(&self, now: Instant) -> Result<String, jsonwebtoken::errors::Error> {
        let iat = now.unix_millis().div_euclid(1_000) - BACKDATED;
        let claims = Claims {
            iss: &self.client_id,
            sub: &self.service_account,
            iat,
            exp: iat + LIFE,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.key)
    }
}
