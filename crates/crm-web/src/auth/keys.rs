//! What proves that a value was made here.

use std::fmt;

use ring::hmac;

/// Makes and checks proofs: HMAC-SHA256 in hexadecimal, for one purpose each.
#[derive(Clone)]
pub struct Keys(hmac::Key);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl Keys {
    /// From a key that is derived for the web alone.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The proof of a value for a purpose: 64 characters.
    pub(super) fn prove(&self, purpose: &str, value: &str) -> String {
        hex(hmac::sign(&self.0, format!("{purpose}\n{value}").as_bytes()).as_ref())
    }

    /// Whether this is the proof; takes as long whatever the answer.
    pub(super) fn check(&self, purpose: &str, value: &str, proof: &str) -> bool {
        let Some(bytes) = unhex(proof) else { return false };
        hmac::verify(&self.0, format!("{purpose}\n{value}").as_bytes(), &bytes).is_ok()
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    // `from_str_radix` takes a sign as well.
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Keys;

    #[test]
    fn a_proof_is_good_for_its_value_purpose_and_key_only() {
        let keys = Keys::new(&[1; 32]);
        let proof = keys.prove("csrf", "session");
        assert!(keys.check("csrf", "session", &proof));
        assert!(!keys.check("csrf", "other", &proof));
        assert!(!keys.check("browser", "session", &proof));
        assert!(!Keys::new(&[2; 32]).check("csrf", "session", &proof));
        assert!(!keys.check("csrf", "session", "") && !keys.check("csrf", "session", &"é".repeat(32)));
        assert!(
            !keys.check("csrf", "session", &format!("+{}", &proof[1..])),
            "a sign is no digit"
        );
    }
}
