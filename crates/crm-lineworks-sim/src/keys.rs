//! The RSA key that assertions are checked with.

use crate::error::SimError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rsa::KeyPair;
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

/// The DER of `AlgorithmIdentifier { rsaEncryption, NULL }`, by which an SPKI key is known to be RSA.
const RSA_ALGORITHM: &[u8] = &[
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// The public half, as PKCS#1 DER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VerifyingKey(Vec<u8>);

impl VerifyingKey {
    /// Reads PEM: a public key, or a private one of which the public half is kept.
    pub(crate) fn from_pem(pem: &str) -> Result<Self, SimError> {
        let (label, der) = unarmour(pem).ok_or(SimError::Key("it is not PEM"))?;
        let refused = |_| SimError::Key("it is not an RSA private key of 2048 bits or more");
        let half = |pair: KeyPair| pair.public_key().as_ref().to_vec();
        let der = match label.as_str() {
            "RSA PUBLIC KEY" => der,
            "PUBLIC KEY" => spki_key(&der)
                .ok_or(SimError::Key("it is not an RSA public key"))?
                .to_vec(),
            "PRIVATE KEY" => half(KeyPair::from_pkcs8(&der).map_err(refused)?),
            "RSA PRIVATE KEY" => half(KeyPair::from_der(&der).map_err(refused)?),
            _ => return Err(SimError::Key("it is neither a public nor a private key")),
        };
        Ok(Self(der))
    }

    /// Whether `signature` is RSA-SHA256 of `message` by this key.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.0)
            .verify(message, signature)
            .is_ok()
    }
}

/// The label and the bytes of the first PEM block.
fn unarmour(pem: &str) -> Option<(String, Vec<u8>)> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    let body: String = body.split_whitespace().collect();
    Some((label.to_owned(), STANDARD.decode(body).ok()?))
}

/// The key within a `SubjectPublicKeyInfo`: SEQUENCE { algorithm, BIT STRING { key } }.
fn spki_key(der: &[u8]) -> Option<&[u8]> {
    let info = der_value(der, 0x30)?;
    let bits = info.strip_prefix(RSA_ALGORITHM)?;
    der_value(bits, 0x03)?.strip_prefix(&[0])
}

/// The value of the DER element that `der` begins with, if it has this tag.
fn der_value(der: &[u8], tag: u8) -> Option<&[u8]> {
    let (&first, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    if first != tag {
        return None;
    }
    if length < 0x80 {
        return rest.get(..usize::from(length));
    }
    let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
    let length = digits.iter().try_fold(0_usize, |sum, digit| {
        sum.checked_mul(256)?.checked_add((*digit).into())
    })?;
    rest.get(..length)
}
