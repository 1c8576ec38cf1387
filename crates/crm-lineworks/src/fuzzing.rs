//! What is fuzzed here: each function takes any bytes and panics when a promise is broken. The tests below run them for ten
//! seconds each; the crate `fuzz` hands the same functions to cargo-fuzz.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crm_domain::instant::Instant;
use crm_domain::ports::callbacks::{CallbackHeaders, InboundEvent, InboundMessage};
use jsonwebtoken::EncodingKey;
use ring::rsa::KeyPair;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;

use crate::interpret::interpret;
use crate::jwt::Assertions;
use crate::private_key;
use crate::verify::Verifier;

const BOT: &str = "2000001";
const SECRET: &str = "fuzz-bot-secret";
const DOMAIN: &str = "40000001";
/// The key of the simulator, which is public.
const KEY: &str = include_str!("../../../fuzz/seeds/private_key/pkcs8");

/// The body of a callback: understood in the same way each time, nothing that a store refuses comes out, and no message of
/// another domain passes for ours.
pub fn callback(body: &[u8]) {
    for domain in [None, Some(DOMAIN)] {
        let event = interpret(domain, body);
        assert_eq!(event, interpret(domain, body), "understood in two ways");
        match event {
            Ok(InboundEvent::Message(message)) => check_message(&message),
            Ok(InboundEvent::Other { kind }) => {
                let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
                assert!(
                    kind.len() <= 40 && kind.bytes().all(plain),
                    "a word for logs: {kind:?}"
                );
            }
            Ok(_) | Err(_) => {}
        }
    }
    let foreign = serde_json::from_slice::<Value>(body).is_ok_and(
        |event| matches!(&event["source"]["domainId"], Value::Number(id) if id.to_string() != DOMAIN),
    );
    if foreign && let Ok(InboundEvent::Message(_)) = interpret(Some(DOMAIN), body) {
        panic!("a message of another domain");
    }
}

fn check_message(message: &InboundMessage) {
    assert!(!message.message.contains('\0'), "NUL in the words");
    let detail = message.detail.as_deref().unwrap_or("{}");
    assert!(
        !detail.contains('\0') && !detail.contains("\\u0000"),
        "NUL in the detail"
    );
    assert!(
        serde_json::from_str::<Value>(detail).is_ok(),
        "the detail is JSON"
    );
    assert!(message.file_id.as_ref().is_none_or(|id| id.len() <= 1_000));
}

/// A signature, a line break, a body: it verifies if and only if it is that of these bytes by our secret.
pub fn signature(input: &[u8]) {
    let (sent, body) = first_line(input);
    let ours = Verifier::new(BOT, &[SECRET.to_owned()], false);
    let passes = |signature: &str, body: &[u8]| {
        let headers = CallbackHeaders {
            bot_id: Some(BOT),
            signature: Some(signature),
        };
        ours.verify(headers, body)
    };
    let right = ours.sign(body);
    let Ok(counted) = passes(&right, body) else {
        panic!("our own signature is refused");
    };
    let kept = counted.issued.len() <= 40 && counted.issued.bytes().all(|byte| byte.is_ascii_graphic());
    assert!(kept, "an issuedTime that no store keeps: {:?}", counted.issued);
    assert_eq!(passes(&sent, body).is_ok(), sent.trim() == right, "by {sent:?}");
    for at in [0, body.len() / 2, body.len().saturating_sub(1)] {
        let mut other = body.to_vec();
        match other.get_mut(at) {
            Some(byte) => *byte ^= 1,
            None => other.push(0),
        }
        assert!(passes(&right, &other).is_err(), "a changed body passes");
    }
}

/// Client id, service account and milliseconds, each in a line: the assertion is three parts, says exactly these, lives an hour
/// and is signed by the key.
pub fn jwt(input: &[u8]) {
    let (client_id, rest) = first_line(input);
    let (account, millis) = first_line(rest);
    let millis = millis
        .split_first_chunk()
        .map_or(0, |(eight, _)| i64::from_le_bytes(*eight));
    // Beyond these no clock goes.
    let now = Instant::from_unix_millis(millis % 253_402_300_800_000);
    let key = key();
    let public = match KeyPair::from_der(key.as_bytes()) {
        Ok(pair) => pair.public().as_ref().to_vec(),
        Err(refused) => panic!("the key of the simulator: {refused}"),
    };
    let Ok(token) = Assertions::new(key, &client_id, &account).sign(now) else {
        panic!("not signed");
    };
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, tag] = parts[..] else {
        panic!("not three parts: {token}")
    };
    let signed = format!("{header}.{claims}");
    let tag = URL_SAFE_NO_PAD.decode(tag).unwrap_or_default();
    let signed_by_it =
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &public).verify(signed.as_bytes(), &tag);
    assert!(signed_by_it.is_ok(), "signed by another key");
    assert_eq!(json_of(header)["alg"], "RS256");
    let claims = json_of(claims);
    assert_eq!(claims["iss"], client_id);
    assert_eq!(claims["sub"], account);
    let times = [&claims["iat"], &claims["exp"]].map(|time| time.as_i64().unwrap_or_default());
    assert_eq!(times[1] - times[0], 3_600, "the life of an assertion");
    let behind = now.unix_millis().div_euclid(1_000) - times[0];
    assert_eq!(behind, 30, "iat is put back");
}

/// A private key as an operator hands it over, or its kind and its digits in two lines: what is read signs, and is read however
/// its line ends are lost.
pub fn private_key(input: &[u8]) {
    let text = pem(input);
    let Ok(key) = private_key::read(&text) else { return };
    assert!(
        KeyPair::from_der(key.as_bytes()).is_ok(),
        "a key that cannot sign"
    );
    for other in [
        text.replace('\n', "\\n"),
        text.replace('\n', ""),
        format!("\u{FEFF}{text}\r\n"),
    ] {
        let Ok(again) = private_key::read(&other) else {
            panic!("refused once its line ends are changed");
        };
        assert_eq!(again.as_bytes(), key.as_bytes(), "another key by its line ends");
    }
}

fn pem(input: &[u8]) -> String {
    let text = String::from_utf8_lossy(input);
    match text.split_once('\n') {
        Some((label, digits)) if !text.contains("-----") => {
            format!("-----BEGIN {label}-----\n{digits}\n-----END {label}-----\n")
        }
        _ => text.into_owned(),
    }
}

fn key() -> EncodingKey {
    match private_key::read(&pem(KEY.as_bytes())) {
        Ok(key) => key,
        Err(refused) => panic!("the key of the simulator: {refused}"),
    }
}

fn first_line(input: &[u8]) -> (String, &[u8]) {
    let end = input
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(input.len());
    let rest = input.get(end + 1..).unwrap_or_default();
    (String::from_utf8_lossy(&input[..end]).into_owned(), rest)
}

fn json_of(part: &str) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crm_testkit::fuzz;

    #[test]
    fn fuzz_callback() {
        fuzz::run("callback", super::callback);
    }

    #[test]
    fn fuzz_signature() {
        fuzz::run("signature", super::signature);
    }

    #[test]
    fn fuzz_jwt() {
        fuzz::run("jwt", super::jwt);
    }

    #[test]
    fn fuzz_private_key() {
        fuzz::run("private_key", super::private_key);
    }
}
