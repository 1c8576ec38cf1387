//! Lists are read page by page with a cursor, and never counted.

use std::fmt;
use std::str::FromStr;

/// Where a page ended: the order key and id of its last row. The next page begins behind it, whatever was added meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The order key of the last row, as the list's index holds it.
    pub key: String,
    /// Its id, which decides between equal keys.
    pub id: i64,
}

impl fmt::Display for Cursor {
    /// Opaque text for links: the id, a dot, the key's bytes in hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.", self.id)?;
        self.key.bytes().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The text is no cursor that this version made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor")]
pub struct NotACursor;

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let (id, hex) = text.split_once('.').ok_or(NotACursor)?;
        let id = id.parse().map_err(|_| NotACursor)?;
        let bytes = hex
            .as_bytes()
            .chunks(2)
            .map(byte)
            .collect::<Option<Vec<u8>>>()
            .ok_or(NotACursor)?;
        let key = String::from_utf8(bytes).map_err(|_| NotACursor)?;
        // No list is ordered by one, and not every database can be asked for it.
        if key.chars().any(char::is_control) {
            return Err(NotACursor);
        }
        Ok(Self { key, id })
    }
}

fn byte(pair: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(pair).ok().filter(|text| text.len() == 2)?;
    u8::from_str_radix(text, 16).ok()
}

/// Which page is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The end of the page before, `None` for the first page.
    pub after: Option<Cursor>,
    /// The most rows wanted, at least 1.
    pub limit: usize,
}

impl PageRequest {
    /// Rows on a page of the web.
    pub const ROWS: usize = 50;

    /// The first `limit` rows.
    pub fn first(limit: usize) -> Self {
        Self {
            after: None,
            limit: limit.max(1),
        }
    }

    /// `limit` rows behind `after`.
    pub fn after(after: Option<Cursor>, limit: usize) -> Self {
        Self {
            after,
            limit: limit.max(1),
        }
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows in the list's order.
    pub items: Vec<T>,
    /// Where the next page begins; `None` if this is the last.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Makes a page of rows read with one more than `limit`, which tells whether there is a next page.
    pub fn cut(mut rows: Vec<T>, limit: usize, cursor_of: impl FnOnce(&T) -> Cursor) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(cursor_of) } else { None };
        Self { items: rows, next }
    }

    /// The same page of other things.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next: self.next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cursor, NotACursor};

    #[test]
    fn cursors_survive_a_link() {
        let cursor = Cursor {
            key: "さとう はなこ".to_owned(),
            id: 7,
        };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for bad in ["", "7", "x.", "7.0", "7.zz", "7.ff", "7.00", "7.611b"] {
            assert_eq!(bad.parse::<Cursor>(), Err(NotACursor), "{bad}");
        }
    }
}
