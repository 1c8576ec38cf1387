//! Reads `.env` files as the old Python system did: nothing is substituted, blanks need no quotation marks.

/// A name with its value, or the number of a line that is neither.
pub(super) type Item = Result<(String, String), usize>;

/// A stretch of the file as written, line ends included, and what it says; `None` for comments and empty lines.
pub(super) struct Entry<'a> {
    pub(super) raw: &'a str,
    pub(super) item: Option<Item>,
}

/// Everything in the file, in order.
pub(super) fn read(text: &str) -> Vec<Item> {
    entries(text).into_iter().filter_map(|entry| entry.item).collect()
}

/// The file cut into its entries: together they are the whole text but for a byte order mark.
pub(super) fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut lines = Lines {
        rest: text.trim_start_matches('\u{feff}'),
        number: 0,
    };
    let mut entries = Vec::new();
    loop {
        let before = lines.rest;
        let Some(line) = lines.next() else { return entries };
        let line = line.trim();
        let number = lines.number;
        let said = !(line.is_empty() || line.starts_with('#'));
        let item = said.then(|| item(line, &mut lines).ok_or(number));
        let raw = &before[..before.len() - lines.rest.len()];
        entries.push(Entry { raw, item });
    }
}

struct Lines<'a> {
    rest: &'a str,
    number: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        self.number += 1;
        Some(line.trim_end_matches('\r'))
    }
}

fn item(line: &str, lines: &mut Lines<'_>) -> Option<(String, String)> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.trim_end();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if name.is_empty() || !name.chars().all(plain) {
        return None;
    }
    let value = value.trim_start();
    let value = match value.chars().next() {
        Some(mark @ ('\'' | '"')) => quoted(&value[1..], mark, lines)?,
        _ => unquoted(value).to_owned(),
    };
    Some((name.to_owned(), value))
}

/// Up to a `#` behind a blank.
fn unquoted(value: &str) -> &str {
    let comment = [" #", "\t#"].iter().filter_map(|mark| value.find(mark)).min();
    let end = comment.unwrap_or(value.len());
    if value.starts_with('#') {
        ""
    } else {
        value[..end].trim_end()
    }
}

/// Up to the closing mark, which may stand on a later line; between `"` a backslash begins `\n`, `\t`, `\r`, `\"`, `\\`.
fn quoted(first: &str, mark: char, lines: &mut Lines<'_>) -> Option<String> {
    let mut value = String::new();
    let mut line = first;
    loop {
        let mut letters = line.chars();
        while let Some(c) = letters.next() {
            if c == mark {
                let behind = letters.as_str().trim_start();
                return (behind.is_empty() || behind.starts_with('#')).then_some(value);
            }
            if c == '\\' && mark == '"' {
                push_escaped(&mut value, letters.next()?);
            } else {
                value.push(c);
            }
        }
        value.push('\n');
        line = lines.next()?;
    }
}

fn push_escaped(value: &mut String, c: char) {
    match c {
        'n' => value.push('\n'),
        'r' => value.push('\r'),
        't' => value.push('\t'),
        '"' | '\\' => value.push(c),
        other => value.extend(['\\', other]),
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn every_way_of_writing_a_value() {
        for (text, value) in [
            ("A=b", "b"),
            ("A = b c ", "b c"),
            ("export A=b", "b"),
            ("A=pa$$word#1 # a comment", "pa$$word#1"),
            ("A='b # $c \\n'", "b # $c \\n"),
            ("A=\"b\\nc\\\"d\" # a comment", "b\nc\"d"),
            ("A='first\nsecond'\n", "first\nsecond"),
            ("\u{feff}A=b\r\n", "b"),
            ("A=", ""),
            ("A=#nothing", ""),
            ("A=x=y", "x=y"),
        ] {
            assert_eq!(read(text), [Ok(("A".to_owned(), value.to_owned()))], "{text:?}");
        }
    }

    #[test]
    fn lines_that_are_none_are_counted() {
        let items = read("# comment\n\nno value\nA=b\nB='open\nstill open\n");
        assert_eq!(items, [Err(3), Ok(("A".to_owned(), "b".to_owned())), Err(5)]);
        assert_eq!(read("A='b' c"), [Err(1)]);
    }
}
