//! The secret key on paper: lines that a person copies, each with a check value, and what was copied, read back.

use ring::digest::{SHA256, digest};

/// Characters of the key on a line.
const LINE: usize = 32;
/// Characters that stand together.
const GROUP: usize = 8;

/// A line of the sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Characters of the key in groups.
    pub groups: String,
    /// Four digits by which a line that was copied wrongly is found.
    pub check: String,
}

/// A key as it stands on the sheet.
pub fn lines(key: &str) -> Vec<Line> {
    let letters: Vec<char> = key.chars().collect();
    let line = |letters: &[char]| {
        let groups: Vec<String> = letters
            .chunks(GROUP)
            .map(|group| group.iter().collect())
            .collect();
        Line {
            groups: groups.join(" "),
            check: check(&letters.iter().collect::<String>()),
        }
    };
    letters.chunks(LINE).map(line).collect()
}

/// The key in lines that were copied with their check values; `None` if these are no such lines. A line that does not fit
/// its check value is told by its number, counted from 1.
pub(crate) fn read_back(text: &str) -> Option<Result<String, usize>> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let lines: Vec<(&str, &str)> = lines.into_iter().map(parted).collect::<Option<_>>()?;
    if lines.len() < 2 {
        return None;
    }
    let line =
        |(at, (digits, check_value)): (usize, &(&str, &str))| copied(digits, check_value).ok_or(at + 1);
    Some(lines.iter().enumerate().map(line).collect())
}

/// What stands before the check value, and that value.
fn parted(line: &str) -> Option<(&str, &str)> {
    let (digits, check) = line.trim().strip_suffix(']')?.rsplit_once('[')?;
    let check = check.trim();
    (check.len() == 4 && check.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some((digits, check))
}

/// The characters of a line, with or without the number before them.
fn copied(digits: &str, check_value: &str) -> Option<String> {
    let words: Vec<&str> = digits.split_whitespace().collect();
    let fits = |words: &[&str]| {
        let text = words.concat();
        check(&text).eq_ignore_ascii_case(check_value).then_some(text)
    };
    fits(&words).or_else(|| fits(words.get(1..)?))
}

fn check(line: &str) -> String {
    let sum = digest(&SHA256, line.as_bytes());
    let digits = sum.as_ref().iter().take(2).map(|byte| format!("{byte:02x}"));
    digits.collect()
}

#[cfg(test)]
mod tests {
    use super::{lines, read_back};

    const KEY: &str = "0123456789abcdeffedcba98765432100123456789abcdef0011223344556677";

    fn sheet(numbers: bool) -> String {
        let lines = lines(KEY).into_iter().enumerate();
        let line = |(at, line): (usize, super::Line)| {
            let number = if numbers {
                format!("  {:>2}  ", at + 1)
            } else {
                String::new()
            };
            format!("{number}{}  [{}]\n", line.groups, line.check)
        };
        lines.map(line).collect()
    }

    #[test]
    fn what_was_copied_is_the_key() {
        for numbers in [false, true] {
            let text = sheet(numbers);
            assert_eq!(read_back(&text), Some(Ok(KEY.to_owned())), "{text}");
        }
        let (one, other) = KEY.split_at(32);
        assert_eq!(lines(KEY)[0].groups.replace(' ', ""), one);
        assert_eq!(lines(KEY)[1].groups.replace(' ', ""), other);
    }

    #[test]
    fn a_line_that_was_copied_wrongly_is_told() {
        let text = sheet(true);
        for (wrong, line) in [
            (text.replacen("01234567", "01284567", 1), 1),
            (text.replace("00112233", "0011223"), 2),
            (text.replace("00112233", "oo112233"), 2),
            (text.replacen("89abcdef fedcba98", "fedcba98 89abcdef", 1), 1),
        ] {
            assert_eq!(read_back(&wrong), Some(Err(line)), "{wrong}");
        }
    }

    #[test]
    fn other_texts_are_no_sheet() {
        for text in [
            KEY,
            "a sentence of somebody's own, with [abcd]",
            "one [abcd]\nand two",
            "",
        ] {
            assert_eq!(read_back(text), None, "{text}");
        }
    }
}
