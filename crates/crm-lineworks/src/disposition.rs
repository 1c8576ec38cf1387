//! The name of a file as `Content-Disposition` tells it: RFC 6266 with RFC 5987, and what servers write instead.

use crm_domain::values::file_name::file_name;

/// The name, made safe; `None` if there is none.
pub(crate) fn name_of(header: &[u8]) -> Option<String> {
    let parameters = parameters(header);
    let value = |wanted: &str| {
        let found = parameters.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_slice())
    };
    let extended = value("filename*").and_then(extended);
    let plain = || value("filename").map(plain);
    file_name(&extended.or_else(plain)?)
}

/// The parameters behind the type: names in lower case, values without their quotes.
fn parameters(header: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut parameters = Vec::new();
    let mut rest = header;
    loop {
        let (part, after) = until_semicolon(rest);
        if let Some(at) = part.iter().position(|byte| *byte == b'=') {
            let (name, value) = part.split_at(at);
            let name = String::from_utf8_lossy(name).trim().to_ascii_lowercase();
            parameters.push((name, unquoted(value.get(1..).unwrap_or_default())));
        }
        match after {
            Some(after) => rest = after,
            None => return parameters,
        }
    }
}

/// The bytes before the first semicolon outside quotes, and those behind it.
fn until_semicolon(bytes: &[u8]) -> (&[u8], Option<&[u8]>) {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => return (bytes.get(..at).unwrap_or_default(), bytes.get(at + 1..)),
            _ => {}
        }
    }
    (bytes, None)
}

/// Without quotes and what they escape. Only a quote and a backslash are: some servers write paths as they are.
fn unquoted(value: &[u8]) -> Vec<u8> {
    let value = value.trim_ascii();
    let Some(inner) = value.strip_prefix(b"\"") else {
        return value.to_vec();
    };
    let inner = inner.strip_suffix(b"\"").unwrap_or(inner);
    let mut plain = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().peekable();
    while let Some(byte) = bytes.next() {
        match bytes.peek() {
            Some(next @ (b'"' | b'\\')) if *byte == b'\\' => {
                plain.push(**next);
                bytes.next();
            }
            _ => plain.push(*byte),
        }
    }
    plain
}

/// `UTF-8'ja'%E8…`; other character sets than UTF-8 and Latin-1 are not read.
fn extended(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    let mut parts = text.splitn(3, '\'');
    let (charset, _language, encoded) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = percent_decoded(encoded.as_bytes())?;
    match charset.trim().to_ascii_lowercase().as_str() {
        "utf-8" => String::from_utf8(bytes).ok(),
        "iso-8859-1" => Some(bytes.into_iter().map(char::from).collect()),
        _ => None,
    }
}

/// UTF-8 as it is, or percent-encoded although nothing says so.
fn plain(value: &[u8]) -> String {
    let decoded = value
        .contains(&b'%')
        .then(|| percent_decoded(value))
        .flatten()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.unwrap_or_else(|| String::from_utf8_lossy(value).into_owned())
}

/// The bytes; `None` if a percent sign stands alone.
fn percent_decoded(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let digits = rest
            .get(..2)
            .filter(|two| two.iter().all(u8::is_ascii_hexdigit))?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = rest.get(2..)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn every_way_to_write_a_name_is_read() {
        for (header, name) in [
            (
                "attachment; filename*=UTF-8''%E8%A6%8B%E7%A9%8D%201.pdf",
                Some("見積 1.pdf"),
            ),
            (
                "attachment; filename=\"x.pdf\"; filename*=utf-8'ja'%E5%9B%B3.pdf",
                Some("図.pdf"),
            ),
            (
                "attachment; filename*=UTF-8''%E5%9B%B3.pdf; filename=x.pdf",
                Some("図.pdf"),
            ),
            ("attachment; filename*=iso-8859-1''%A3.txt", Some("£.txt")),
            (
                "attachment; filename*=Shift_JIS''%90%7D.txt; filename=\"zu.txt\"",
                Some("zu.txt"),
            ),
            ("attachment; filename*=UTF-8''%FF; filename=a.txt", Some("a.txt")),
            ("attachment; filename*=broken; filename=a.txt", Some("a.txt")),
            (
                "attachment; FileName = \"a;b \\\"c\\\".txt\" ",
                Some("a;b \"c\".txt"),
            ),
            ("attachment; filename=見積書.pdf", Some("見積書.pdf")),
            ("attachment; filename=\"%E8%A6%8B.pdf\"", Some("見.pdf")),
            ("attachment; filename=\"100%.pdf\"", Some("100%.pdf")),
            ("attachment; filename=\"C:\\dir\\x.pdf\"", Some("x.pdf")),
            (
                "attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd",
                Some("passwd"),
            ),
            ("attachment; filename*=UTF-8''a%0D%0Ab.txt", Some("ab.txt")),
            ("attachment; filename=\"unclosed.txt", Some("unclosed.txt")),
            ("filename=a.txt", Some("a.txt")),
            ("attachment", None),
            ("attachment; filename=", None),
            ("attachment; filename=\"..\"", None),
            ("", None),
        ] {
            assert_eq!(name_of(header.as_bytes()).as_deref(), name, "{header}");
        }
        assert_eq!(
            name_of(b"attachment; filename=\"\xFF.txt\"").as_deref(),
            Some("\u{FFFD}.txt")
        );
    }
}
