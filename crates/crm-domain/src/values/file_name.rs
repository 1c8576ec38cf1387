//! Names of files that others chose: made safe to show, and to save under on any system.

use super::normalise::tidy;

/// The longest name, in characters.
pub const FILE_NAME_MAX: usize = 200;
/// The longest ending that counts as one, in characters.
const ENDING_MAX: usize = 16;

/// The last part of a path, NFC, without control and direction characters, at most [`FILE_NAME_MAX`] characters with its ending
/// kept; `None` if nothing is left of it.
pub fn file_name(text: &str) -> Option<String> {
    let last = text.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible: String = last.chars().filter(|c| !is_unsafe(*c)).collect();
    let name = tidy(&visible);
    let name = name.trim_end_matches(['.', ' ']);
    if name.is_empty() {
        return None;
    }
    Some(shortened(name))
}

/// Controls, line and paragraph separators, and what changes the direction or is not seen: `gpj.exe` must not look like `exe.jpg`.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= FILE_NAME_MAX {
        return name.to_owned();
    }
    let ending = name
        .rfind('.')
        .and_then(|at| name.get(at..))
        .filter(|ending| (2..=ENDING_MAX).contains(&ending.chars().count()))
        .unwrap_or_default();
    let room = FILE_NAME_MAX - ending.chars().count();
    let stem: String = name.chars().take(room).collect();
    format!("{stem}{ending}")
}

#[cfg(test)]
mod tests {
    use super::{FILE_NAME_MAX, file_name};

    #[test]
    fn names_are_made_safe() {
        let long = format!("{}.pdf", "見".repeat(300));
        let short = format!("{}.pdf", "見".repeat(196));
        let endless = format!("a.{}", "b".repeat(300));
        for (given, safe) in [
            ("見積書.pdf", Some("見積書.pdf")),
            ("../../etc/passwd", Some("passwd")),
            (r"C:\Users\me\図面.dwg", Some("図面.dwg")),
            ("a\r\nSet-Cookie: x.txt", Some("aSet-Cookie: x.txt")),
            ("\u{202E}gpj.exe", Some("gpj.exe")),
            ("in\u{200B}visible\u{FEFF}.txt", Some("invisible.txt")),
            ("  a b .txt . ", Some("a b .txt")),
            ("か\u{3099}.txt", Some("が.txt")),
            (".profile", Some(".profile")),
            ("..", None),
            ("", None),
            ("a/", None),
            ("\0\n", None),
            (&long, Some(&short)),
            (&endless, Some(&endless[..FILE_NAME_MAX])),
        ] {
            assert_eq!(file_name(given).as_deref(), safe, "{given:?}");
        }
    }
}
