//! A message as HTML: escaped, with its web addresses clickable.

/// A message as HTML: escaped, http and https addresses clickable, nothing else. Line breaks are kept by the style.
pub fn message_html(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some(start) = next_address(rest) {
        let (before, from) = rest.split_at(start);
        let (address, after) = from.split_at(address_length(from));
        escape_into(&mut html, before);
        html.push_str("<a href=\"");
        escape_into(&mut html, address);
        html.push_str("\" target=\"_blank\" rel=\"noopener noreferrer\">");
        escape_into(&mut html, address);
        html.push_str("</a>");
        rest = after;
    }
    escape_into(&mut html, rest);
    html
}

fn next_address(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = text[from..].find("http") {
        let start = from + found;
        let after = &text[start + 4..];
        let host = after.strip_prefix("s://").or_else(|| after.strip_prefix("://"));
        if host
            .and_then(|host| host.chars().next())
            .is_some_and(char::is_alphanumeric)
        {
            return Some(start);
        }
        from = start + 4;
    }
    None
}

/// An address ends at the first character that no address has, and not with a sentence's own punctuation.
fn address_length(text: &str) -> usize {
    let refused = |letter: char| !letter.is_ascii_graphic() || "<>\"'`{}|\\^".contains(letter);
    let end = text.find(refused).unwrap_or(text.len());
    let mut address = text[..end].trim_end_matches(['.', ',', ';', ':', '!', '?']);
    if address.ends_with(')') && !address.contains('(') {
        address = address.trim_end_matches(')');
    }
    address.len()
}

/// A text as HTML.
pub fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 8);
    escape_into(&mut html, text);
    html
}

fn escape_into(html: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#x27;"),
            other => html.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::message_html;

    #[test]
    fn only_web_addresses_become_links() {
        let html = message_html("見てください https://example.com/a?b=1&c=2。<b>\njavascript:alert(1)");
        assert_eq!(
            html,
            "見てください <a href=\"https://example.com/a?b=1&amp;c=2\" target=\"_blank\" \
             rel=\"noopener noreferrer\">https://example.com/a?b=1&amp;c=2</a>。&lt;b&gt;\njavascript:alert(1)"
        );
        assert!(!message_html("http:// と https://\"onmouseover=").contains("<a"));
        assert!(message_html("(https://example.com/)").contains("\"https://example.com/\""));
    }
}
