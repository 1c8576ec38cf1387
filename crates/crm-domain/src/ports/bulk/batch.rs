//! Rows on the move, written in one way that is the same for every store: what is hashed, kept in backups and sent from one
//! to the other.
//!
//! A row is its cells, one after the other. A cell is a tag and, depending on it, eight bytes (numbers and instants, big
//! endian) or a length of four bytes and as many bytes (text as UTF-8, bytes).

use super::{BulkError, CellKind, Key, TableShape};
use crate::instant::Instant;

const NULL: u8 = 0;
const INT: u8 = 1;
const REAL: u8 = 2;
const TEXT: u8 = 3;
const BYTES: u8 = 4;
const NO: u8 = 5;
const YES: u8 = 6;
const AT: u8 = 7;

/// A value in a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Nothing.
    Null,
    /// A whole number.
    Int(i64),
    /// A floating point number.
    Real(f64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Yes or no.
    Bool(bool),
    /// An instant.
    At(Instant),
}

impl Cell<'_> {
    /// Whether a column of this kind may hold it.
    pub fn is(&self, kind: CellKind) -> bool {
        matches!(
            (self, kind),
            (Self::Null, _)
                | (Self::Int(_), CellKind::Int)
                | (Self::Real(_), CellKind::Real)
                | (Self::Text(_), CellKind::Text)
                | (Self::Bytes(_), CellKind::Bytes)
                | (Self::Bool(_), CellKind::Bool)
                | (Self::At(_), CellKind::At)
        )
    }
}

/// Bytes that are no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nonsense;

/// Some rows of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    bytes: Vec<u8>,
    rows: usize,
    last: usize,
}

impl Batch {
    /// None yet, with room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            ..Self::default()
        }
    }

    /// Begins a row; its cells follow.
    pub fn begin_row(&mut self) {
        self.last = self.bytes.len();
        self.rows += 1;
    }

    /// Adds a cell to the row that was begun.
    pub fn push(&mut self, cell: Cell<'_>) {
        put(&mut self.bytes, cell);
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows as they are hashed and kept.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The rows in these bytes, which may break off in the middle of one; with how many bytes the whole rows are. `width`
    /// is the number of columns. Never more than `most` rows.
    pub fn read(bytes: &[u8], width: usize, most: usize) -> Result<(Self, usize), Nonsense> {
        let mut batch = Self::default();
        let mut at = 0;
        while batch.rows < most && at < bytes.len() {
            let mut end = at;
            for _ in 0..width {
                match cell_end(bytes, end)? {
                    Some(next) => end = next,
                    None => return Ok(batch.filled(bytes, at)),
                }
            }
            if end == at {
                return Err(Nonsense);
            }
            (batch.last, batch.rows, at) = (at, batch.rows + 1, end);
        }
        Ok(batch.filled(bytes, at))
    }

    fn filled(mut self, bytes: &[u8], end: usize) -> (Self, usize) {
        self.bytes = bytes.get(..end).unwrap_or_default().to_vec();
        (self, end)
    }

    /// The rows, each of so many cells.
    pub fn rows(&self, width: usize) -> Rows<'_> {
        Rows {
            bytes: &self.bytes,
            at: 0,
            width,
        }
    }

    /// The key of the last row; `None` without rows.
    pub fn last_key(&self, table: &TableShape) -> Result<Option<Key>, BulkError> {
        if self.rows == 0 {
            return Ok(None);
        }
        let broken = || BulkError::Broken(table.name.clone());
        let mut row = Row {
            bytes: &self.bytes,
            at: self.last,
        };
        let mut cells = Vec::with_capacity(table.columns.len());
        for _ in 0..table.columns.len() {
            cells.push(row.cell().map_err(|Nonsense| broken())?);
        }
        let mut key = Vec::new();
        for place in &table.key {
            put(&mut key, *cells.get(*place).ok_or_else(broken)?);
        }
        Ok(Some(Key(key)))
    }
}

impl Key {
    /// A key of these cells.
    pub fn of(cells: &[Cell<'_>]) -> Self {
        let mut bytes = Vec::new();
        for cell in cells {
            put(&mut bytes, *cell);
        }
        Self(bytes)
    }

    /// Its cells.
    pub fn cells(&self) -> Result<Vec<Cell<'_>>, Nonsense> {
        let mut row = Row {
            bytes: &self.0,
            at: 0,
        };
        let mut cells = Vec::new();
        while row.at < self.0.len() {
            cells.push(row.cell()?);
        }
        Ok(cells)
    }
}

/// Goes through the rows of a batch.
#[derive(Debug, Clone)]
pub struct Rows<'a> {
    bytes: &'a [u8],
    at: usize,
    width: usize,
}

impl<'a> Rows<'a> {
    /// The cells of the next row, put into `cells` in place of what was there; `false` after the last row.
    pub fn next_into(&mut self, cells: &mut Vec<Cell<'a>>) -> Result<bool, Nonsense> {
        cells.clear();
        if self.at >= self.bytes.len() {
            return Ok(false);
        }
        let mut row = Row {
            bytes: self.bytes,
            at: self.at,
        };
        for _ in 0..self.width {
            cells.push(row.cell()?);
        }
        self.at = row.at;
        Ok(true)
    }
}

/// Goes through the cells of a row.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Row<'a> {
    /// The next cell.
    pub fn cell(&mut self) -> Result<Cell<'a>, Nonsense> {
        let end = cell_end(self.bytes, self.at)?.ok_or(Nonsense)?;
        let cell = self.bytes.get(self.at..end).ok_or(Nonsense)?;
        self.at = end;
        let (tag, rest) = cell.split_first().ok_or(Nonsense)?;
        let number = || Ok(i64::from_be_bytes(rest.try_into().map_err(|_| Nonsense)?));
        let content = || rest.get(4..).ok_or(Nonsense);
        Ok(match *tag {
            NULL => Cell::Null,
            INT => Cell::Int(number()?),
            REAL => Cell::Real(f64::from_be_bytes(rest.try_into().map_err(|_| Nonsense)?)),
            TEXT => Cell::Text(std::str::from_utf8(content()?).map_err(|_| Nonsense)?),
            BYTES => Cell::Bytes(content()?),
            NO => Cell::Bool(false),
            YES => Cell::Bool(true),
            AT => Cell::At(Instant::from_unix_millis(number()?)),
            _ => return Err(Nonsense),
        })
    }
}

fn put(bytes: &mut Vec<u8>, cell: Cell<'_>) {
    match cell {
        Cell::Null => bytes.push(NULL),
        Cell::Int(number) => put_number(bytes, INT, number.to_be_bytes()),
        Cell::Real(number) => put_number(bytes, REAL, number.to_be_bytes()),
        Cell::Text(text) => put_content(bytes, TEXT, text.as_bytes()),
        Cell::Bytes(content) => put_content(bytes, BYTES, content),
        Cell::Bool(yes) => bytes.push(if yes { YES } else { NO }),
        Cell::At(at) => put_number(bytes, AT, at.unix_millis().to_be_bytes()),
    }
}

fn put_number(bytes: &mut Vec<u8>, tag: u8, number: [u8; 8]) {
    bytes.push(tag);
    bytes.extend_from_slice(&number);
}

/// Neither database keeps a value of 4 GiB.
fn put_content(bytes: &mut Vec<u8>, tag: u8, content: &[u8]) {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    bytes.push(tag);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(content);
}

/// Where the cell that begins here ends; `None`: beyond these bytes.
fn cell_end(bytes: &[u8], at: usize) -> Result<Option<usize>, Nonsense> {
    let Some(tag) = bytes.get(at) else {
        return Ok(None);
    };
    let end = match *tag {
        NULL | NO | YES => at + 1,
        INT | REAL | AT => at + 9,
        TEXT | BYTES => {
            let Some(length) = bytes.get(at + 1..at + 5) else {
                return Ok(None);
            };
            let length = u32::from_be_bytes(length.try_into().map_err(|_| Nonsense)?);
            at + 5 + usize::try_from(length).map_err(|_| Nonsense)?
        }
        _ => return Err(Nonsense),
    };
    Ok((end <= bytes.len()).then_some(end))
}

#[cfg(test)]
mod tests {
    use super::{Batch, Cell, Nonsense};
    use crate::instant::Instant;
    use crate::ports::bulk::{CellKind, Key, TableShape};

    fn cells() -> Vec<Cell<'static>> {
        vec![
            Cell::Null,
            Cell::Int(i64::MIN),
            Cell::Real(-0.5),
            Cell::Text("渡邉 \u{1F468}"),
            Cell::Bytes(&[0, 255]),
            Cell::Bool(true),
            Cell::Bool(false),
            Cell::At(Instant::from_unix_millis(-62_135_596_800_000)),
            Cell::Text(""),
        ]
    }

    fn batch(rows: usize) -> Batch {
        let mut batch = Batch::default();
        for number in 0..rows {
            batch.begin_row();
            batch.push(Cell::Int(i64::try_from(number).unwrap()));
            cells().into_iter().skip(1).for_each(|cell| batch.push(cell));
        }
        batch
    }

    #[test]
    fn cells_come_back() {
        let written = batch(3);
        assert_eq!(written.len(), 3);
        let mut rows = written.rows(cells().len());
        let mut read = Vec::new();
        for number in 0..3 {
            assert_eq!(rows.next_into(&mut read), Ok(true));
            assert_eq!(read.first(), Some(&Cell::Int(number)));
            assert_eq!(read.get(1..), cells().get(1..));
        }
        assert_eq!(rows.next_into(&mut read), Ok(false));
        assert_eq!(Key::of(&cells()).cells(), Ok(cells()));
    }

    #[test]
    fn rows_that_break_off_are_left_for_later() {
        let written = batch(3);
        let width = cells().len();
        for cut in 0..=written.bytes().len() {
            let (read, used) = Batch::read(&written.bytes()[..cut], width, 99).unwrap();
            assert_eq!(read, batch(read.len()), "{cut}");
            assert_eq!(used, read.bytes().len());
            assert_eq!(read.len(), cut * 3 / written.bytes().len());
        }
        assert_eq!(Batch::read(written.bytes(), width, 2).unwrap().0, batch(2));
        assert_eq!(Batch::read(&[99], 1, 9), Err(Nonsense));
        assert_eq!(
            Batch::read(&[3, 0, 0, 0, 1, 0xFF], 1, 9)
                .unwrap()
                .0
                .rows(1)
                .next_into(&mut Vec::new()),
            Err(Nonsense)
        );
    }

    #[test]
    fn the_last_key_is_in_the_order_of_the_key() {
        let table = TableShape {
            name: "t".to_owned(),
            columns: vec![("a".to_owned(), CellKind::Int), ("b".to_owned(), CellKind::Text)],
            key: vec![1, 0],
        };
        let mut batch = Batch::default();
        assert_eq!(batch.last_key(&table).unwrap(), None);
        for number in [7, 8] {
            batch.begin_row();
            batch.push(Cell::Int(number));
            batch.push(Cell::Text("x"));
        }
        assert_eq!(
            batch.last_key(&table).unwrap(),
            Some(Key::of(&[Cell::Text("x"), Cell::Int(8)]))
        );
    }
}
