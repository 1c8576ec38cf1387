//! Mentions: LINE WORKS reads `<m userId="…">` in a text as a call to that person, and `all` to everybody in a room. What a
//! customer or a colleague typed is never meant so.

/// The same text, of the same length, in which nothing is a mention any more: the bracket becomes a full-width one.
pub(crate) fn without_mentions(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for (place, sign) in text.char_indices() {
        let opens = sign == '<' && text.get(place + 1..).is_some_and(is_mention);
        plain.push(if opens { '＜' } else { sign });
    }
    plain
}

/// Whether what follows a bracket makes it a mention's tag, however oddly it is written.
fn is_mention(rest: &str) -> bool {
    let blank = |sign: char| sign.is_whitespace() || sign.is_control() || sign == '/';
    let rest = rest.trim_start_matches(blank);
    let name = rest.strip_prefix(['m', 'M']);
    name.is_some_and(|rest| rest.starts_with(|sign: char| blank(sign) || is_unseen(sign)))
}

/// Signs of no width, which a reader of tags may skip.
fn is_unseen(sign: char) -> bool {
    matches!(sign, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::without_mentions;

    #[test]
    fn a_mention_is_plain_text() {
        for (written, sent) in [
            ("<m userId=\"all\">さん", "＜m userId=\"all\">さん"),
            ("<M\tuserId='x'>", "＜M\tuserId='x'>"),
            ("a < m userId=all>", "a ＜ m userId=all>"),
            (
                "<<m userId=\"a\"><m\nuserId=\"b\">",
                "<＜m userId=\"a\">＜m\nuserId=\"b\">",
            ),
            ("<m/userId=all></m >", "＜m/userId=all>＜/m >"),
            ("<m\u{200b}userId=all>", "＜m\u{200b}userId=all>"),
        ] {
            let plain = without_mentions(written);
            assert_eq!(plain, sent);
            assert_eq!(plain.chars().count(), written.chars().count());
        }
    }

    #[test]
    fn what_is_no_mention_stays() {
        for text in [
            "1 < 2",
            "<meta a>",
            "<m>",
            "a<b>",
            "<",
            "3<m",
            "<3 m 四方",
            "＜m userId=…＞",
        ] {
            assert_eq!(without_mentions(text), text);
        }
    }
}
