//! The private key as operators really hand it over.

use jsonwebtoken::EncodingKey;

use crate::config::ConfigError;
use crate::crypto;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// Reads a PEM key, PKCS#8 or PKCS#1. Line ends may be real, written as `\n`, or lost; text around the block is
/// ignored.
pub(crate) fn read(text: &str) -> Result<EncodingKey, ConfigError> {
    if text.trim().is_empty() {
        return Err(ConfigError::Empty("the private key"));
    }
    let (label, body) = block(text).ok_or(ConfigError::KeyNotPem)?;
    match label {
        "PRIVATE KEY" | "RSA PRIVATE KEY" => {}
        "ENCRYPTED PRIVATE KEY" => return Err(ConfigError::KeyEncrypted),
        "EC PRIVATE KEY" | "OPENSSH PRIVATE KEY" => return Err(ConfigError::KeyDamaged),
        _ => return Err(ConfigError::KeyNotPrivate),
    }
    if body.contains("ENCRYPTED") {
        return Err(ConfigError::KeyEncrypted);
    }
    let pem = rebuilt(label, body);
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| ConfigError::KeyDamaged)?;
    crypto::check_rsa_key(&key)?;
    Ok(key)
}

/// The label and the body of the first PEM block.
fn block(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.split_once(BEGIN)?;
    let (label, rest) = rest.split_once(DASHES)?;
    let (body, _) = rest.split_once(END)?;
    Some((label, body))
}

/// The block with the line ends that the standard asks for.
fn rebuilt(label: &str, body: &str) -> String {
    let body = body.replace("\\r", "").replace("\\n", "");
    let digits: Vec<char> = body
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '\\')
        .collect();
    let mut pem = format!("{BEGIN}{label}{DASHES}\n");
    for line in digits.chunks(64) {
        pem.extend(line);
        pem.push('\n');
    }
    pem + &format!("{END}{label}{DASHES}\n")
}
