//! The one place that names ring: signing assertions, checking callbacks, digests.

use std::sync::Once;

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, EncodingKey, signature};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::{digest, hmac};

use crate::config::ConfigError;

/// jsonwebtoken brings no cryptography of its own; this is all of it that a client of LINE WORKS needs.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: rs256,
    verifier_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes ring sign for jsonwebtoken in this process, unless the program has chosen something else before.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if PROVIDER.install_default().is_err() {
            tracing::debug!("another provider signs for jsonwebtoken in this process");
        }
    });
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form of jsonwebtoken's factory"
)]
fn rs256(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    if *algorithm != Algorithm::RS256 {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    let pair = KeyPair::from_der(key.as_bytes()).map_err(|_| ErrorKind::InvalidKeyFormat)?;
    Ok(Box::new(Rs256(pair)))
}

struct Rs256(KeyPair);

impl signature::Signer<Vec<u8>> for Rs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        let mut signed = vec![0; self.0.public().modulus_len()];
        self.0
            .sign(
                &ring::signature::RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message,
                &mut signed,
            )
            .map_err(|_| signature::Error::new())?;
        Ok(signed)
    }
}

impl JwtSigner for Rs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}

/// Whether the key can sign.
pub(crate) fn check_rsa_key(key: &EncodingKey) -> Result<(), ConfigError> {
    match KeyPair::from_der(key.as_bytes()) {
        Ok(_) => Ok(()),
        Err(rejected) if rejected.to_string() == "TooSmall" => Err(ConfigError::KeyTooSmall),
        Err(_) => Err(ConfigError::KeyDamaged),
    }
}

/// A bot secret, ready for HMAC-SHA256.
pub(crate) struct MacKey(hmac::Key);

impl MacKey {
    pub(crate) fn new(secret: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }

    /// Whether `tag` is the message's; takes as long for every wrong one.
    pub(crate) fn verifies(&self, message: &[u8], tag: &[u8]) -> bool {
        hmac::verify(&self.0, message, tag).is_ok()
    }

    pub(crate) fn tag(&self, message: &[u8]) -> Vec<u8> {
        hmac::sign(&self.0, message).as_ref().to_vec()
    }
}

/// The first 16 bytes of SHA-256 over the parts, one after the other.
pub(crate) fn digest16(parts: &[&[u8]]) -> [u8; 16] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let whole = context.finish();
    let mut first = [0; 16];
    for (to, from) in first.iter_mut().zip(whole.as_ref()) {
        *to = *from;
    }
    first
}
