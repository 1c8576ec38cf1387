//! The assertion of the service account: a JWT signed with RS256.

use crate::answers::OAuthRefusal;
use crate::keys::VerifyingKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use time::OffsetDateTime;

/// How far `iat` may lie in the future. Not documented: five minutes forgive an ordinary clock.
const AHEAD_SECONDS: f64 = 300.0;
/// The longest an assertion may live.
const LIFE_SECONDS: f64 = 3600.0;

/// What an assertion must say.
pub(crate) struct Expected<'a> {
    pub(crate) key: &'a VerifyingKey,
    pub(crate) issuer: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) now: OffsetDateTime,
}

fn refused(description: &str) -> OAuthRefusal {
    OAuthRefusal::invalid_grant(description)
}

impl Expected<'_> {
    /// Checks form, signature and claims; the description of the refusal says which failed.
    pub(crate) fn check(&self, assertion: &str) -> Result<(), OAuthRefusal> {
        let mut parts = assertion.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(refused("The assertion must have three parts."));
        };
        check_header(&object(header)?)?;
        let signed = assertion
            .get(..header.len() + 1 + claims.len())
            .unwrap_or_default();
        if !self.key.verifies(signed.as_bytes(), &bytes(signature)?) {
            return Err(refused("The signature of the assertion is not valid."));
        }
        self.check_claims(&object(claims)?)
    }

    fn check_claims(&self, claims: &Map<String, Value>) -> Result<(), OAuthRefusal> {
        if claims.get("iss").and_then(Value::as_str) != Some(self.issuer) {
            return Err(refused("iss must be the client id."));
        }
        if claims.get("sub").and_then(Value::as_str) != Some(self.subject) {
            return Err(refused("sub must be the service account."));
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds of our age fit a double exactly"
        )]
        let now = self.now.unix_timestamp() as f64 + f64::from(self.now.millisecond()) / 1000.0;
        let (iat, exp) = (seconds(claims, "iat")?, seconds(claims, "exp")?);
        if iat > now + AHEAD_SECONDS {
            return Err(refused("iat is in the future (it counts seconds)."));
        }
        if exp <= now {
            return Err(refused("exp is past."));
        }
        if exp <= iat || exp > iat + LIFE_SECONDS {
            return Err(refused("exp must be at most 60 minutes after iat."));
        }
        Ok(())
    }
}

fn check_header(header: &Map<String, Value>) -> Result<(), OAuthRefusal> {
    if header.get("alg").and_then(Value::as_str) != Some("RS256") {
        return Err(refused("alg must be RS256."));
    }
    match header.get("typ") {
        None => Ok(()),
        Some(typ) if typ.as_str().is_some_and(|typ| typ.eq_ignore_ascii_case("JWT")) => Ok(()),
        Some(_) => Err(refused("typ must be JWT.")),
    }
}

/// A time claim: a number, with or without a fraction (an official sample sends one), never a string.
fn seconds(claims: &Map<String, Value>, name: &str) -> Result<f64, OAuthRefusal> {
    claims
        .get(name)
        .and_then(Value::as_f64)
        .ok_or_else(|| refused(&format!("{name} must be a number.")))
}

fn bytes(part: &str) -> Result<Vec<u8>, OAuthRefusal> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| refused("The assertion must be base64url without padding."))
}

fn object(part: &str) -> Result<Map<String, Value>, OAuthRefusal> {
    serde_json::from_slice(&bytes(part)?).map_err(|_| refused("The assertion holds broken JSON."))
}
