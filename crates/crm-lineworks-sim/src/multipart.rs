//! The one thing needed of `multipart/form-data`: the bytes of a named part.

/// The boundary that a content type names.
pub(crate) fn boundary(content_type: &str) -> Option<&str> {
    let mut parts = content_type.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("boundary"))
        .map(|(_, value)| value.trim_matches('"'))
        .filter(|value| (1..=70).contains(&value.len()))
}

/// The bytes of the part called `name`, whose case does not matter here (sources print it both ways).
pub(crate) fn part<'a>(body: &'a [u8], boundary: &str, name: &str) -> Option<&'a [u8]> {
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(delimiter.get(2..)?.as_bytes())?;
    loop {
        rest = rest.strip_prefix(b"\r\n")?;
        let end = find(rest, delimiter.as_bytes())?;
        let (whole, after) = rest.split_at_checked(end)?;
        let head_end = find(whole, b"\r\n\r\n")?;
        let (head, content) = whole.split_at_checked(head_end)?;
        if part_name(head).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return content.get(4..);
        }
        rest = after.get(delimiter.len()..)?;
    }
}

/// The name in `Content-Disposition: form-data; name="…"`.
fn part_name(head: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(head);
    let line = head
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let (_, value) = line.split_once(':')?;
    value
        .split(';')
        .filter_map(|parameter| parameter.trim().split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("name"))
        .map(|(_, value)| value.trim_matches('"').to_owned())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
