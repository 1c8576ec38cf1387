//! Whether a callback counts: its signature over the raw bytes is right.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crm_domain::ports::callbacks::{CallbackHeaders, CallbackRefused, VerifiedCallback};
use serde::Deserialize;

use crate::crypto::{MacKey, digest16};

/// The longest `issuedTime` that is kept, in characters.
const ISSUED: usize = 40;

/// Checks the callbacks of one bot.
pub(crate) struct Verifier {
    bot: String,
    keys: Vec<MacKey>,
    allow_unsigned: bool,
}

impl Verifier {
    /// Empty secrets are no secrets: everybody could sign with one.
    pub(crate) fn new(bot: &str, secrets: &[String], allow_unsigned: bool) -> Self {
        let secrets = secrets
            .iter()
            .map(|secret| secret.trim())
            .filter(|secret| !secret.is_empty());
        Self {
            bot: bot.to_owned(),
            keys: secrets.map(MacKey::new).collect(),
            allow_unsigned,
        }
    }

    pub(crate) fn verify(
        &self,
        headers: CallbackHeaders<'_>,
        body: &[u8],
    ) -> Result<VerifiedCallback, CallbackRefused> {
        let present = |header: Option<&'_ str>| header.is_some_and(|text| !text.trim().is_empty());
        let other = present(headers.bot_id) && headers.bot_id.map(str::trim) != Some(&self.bot);
        let signature = headers.signature.filter(|_| present(headers.signature));
        match signature {
            // The header is no part of what is signed: who signs with our secret is our bot, whatever it says.
            Some(signature) if self.signed(body, signature.trim()) => {}
            _ if other => return Err(CallbackRefused::OtherBot),
            None if self.allow_unsigned => {}
            None => return Err(CallbackRefused::Unsigned),
            Some(_) if self.keys.is_empty() && self.allow_unsigned => {}
            Some(_) if self.keys.is_empty() => return Err(CallbackRefused::NotConfigured),
            Some(_) => return Err(CallbackRefused::WrongSignature),
        }
        Ok(VerifiedCallback {
            bot: self.bot.clone(),
            issued: issued(body),
            digest: digest16(&[self.bot.as_bytes(), &[0], body]),
        })
    }

    fn signed(&self, body: &[u8], signature: &str) -> bool {
        let mut tag = [0; 48];
        let Ok(length) = STANDARD.decode_slice(signature, &mut tag) else {
            return false;
        };
        let tag = tag.get(..length).unwrap_or_default();
        self.keys.iter().any(|key| key.verifies(body, tag))
    }

    /// The signature that LINE WORKS would send; empty without a secret.
    pub(crate) fn sign(&self, body: &[u8]) -> String {
        self.keys
            .first()
            .map(|key| STANDARD.encode(key.tag(body)))
            .unwrap_or_default()
    }
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "issuedTime", borrow, default)]
    issued: Option<Cow<'a, str>>,
}

/// `issuedTime` as received; empty if there is none, or none that a store could keep as it is.
fn issued(body: &[u8]) -> String {
    let Ok(Head { issued: Some(issued) }) = serde_json::from_slice(body) else {
        return String::new();
    };
    let keepable = issued.len() <= ISSUED && issued.bytes().all(|byte| byte.is_ascii_graphic());
    if keepable {
        issued.into_owned()
    } else {
        String::new()
    }
}
