//! Form bodies (`application/x-www-form-urlencoded`), read strictly.

use crate::answers::OAuthRefusal;
use std::collections::HashMap;

/// The fields of a form; none may come twice (RFC 6749, 3.2).
pub(crate) struct Form(HashMap<String, String>);

impl Form {
    pub(crate) fn parse(content_type: Option<&str>, body: &[u8]) -> Result<Self, OAuthRefusal> {
        let media_type = content_type
            .and_then(|value| value.split(';').next())
            .unwrap_or_default()
            .trim();
        if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            let needed = "Content-Type must be application/x-www-form-urlencoded.";
            return Err(OAuthRefusal::invalid_request(needed));
        }
        let malformed = || OAuthRefusal::invalid_request("The form is malformed.");
        let text = std::str::from_utf8(body).map_err(|_| malformed())?;
        let mut fields = HashMap::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(&name.replace('+', " ")).ok_or_else(malformed)?;
            let value = decode(&value.replace('+', " ")).ok_or_else(malformed)?;
            if fields.insert(name.clone(), value).is_some() {
                return Err(OAuthRefusal::invalid_request(format!("{name} is repeated.")));
            }
        }
        Ok(Self(fields))
    }

    /// A field that is there and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, OAuthRefusal> {
        self.get(name)
            .ok_or_else(|| OAuthRefusal::invalid_request(format!("{name} is required.")))
    }
}

/// Percent-decodes; `None` for a broken escape or bytes that are not UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits)
            .ok()
            .filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// Percent-encodes everything but letters, digits and `-._~`.
pub(crate) fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
