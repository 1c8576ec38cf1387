//! Rows as COPY sends them in its binary form.

use crm_domain::instant::Instant;
use crm_domain::ports::bulk::{Batch, BulkError, Cell, CellKind, TableShape};

/// What the stream begins with; flags and the length of an extension follow.
pub(super) const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";
/// PostgreSQL counts from 2000-01-01.
pub(super) const EPOCH_MILLIS: i64 = 946_684_800_000;

/// Takes what came over the network and gives rows.
pub(super) struct Decoder<'a> {
    table: &'a TableShape,
    held: Vec<u8>,
    begun: bool,
    done: bool,
}

/// What is wrong with a field.
enum Trouble {
    /// More is to come.
    Short,
    /// The stream makes no sense.
    Broken,
    /// A value that the other side cannot keep.
    Value(String, &'static str),
}

impl<'a> Decoder<'a> {
    pub(super) fn new(table: &'a TableShape) -> Self {
        Self {
            table,
            held: Vec::new(),
            begun: false,
            done: false,
        }
    }

    /// Adds the whole rows of what came to the batch. Normally a message is one row.
    pub(super) fn take(&mut self, came: &[u8], batch: &mut Batch) -> Result<(), BulkError> {
        if self.held.is_empty() {
            let used = self.rows(came, batch)?;
            self.held.extend_from_slice(came.get(used..).unwrap_or_default());
            return Ok(());
        }
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(came);
        let used = self.rows(&held, batch)?;
        held.drain(..used);
        self.held = held;
        Ok(())
    }

    /// Whether the stream came to its end.
    pub(super) fn is_done(&self) -> bool {
        self.done && self.held.is_empty()
    }

    fn rows(&mut self, bytes: &[u8], batch: &mut Batch) -> Result<usize, BulkError> {
        let mut at = 0;
        if !self.begun {
            let Some(head) = bytes.get(..SIGNATURE.len() + 8) else {
                return Ok(0);
            };
            if !head.starts_with(SIGNATURE) {
                return Err(self.broken());
            }
            at = head.len();
            self.begun = true;
        }
        while at < bytes.len() && !self.done {
            let Some(count) = bytes.get(at..at + 2) else {
                break;
            };
            if count == (-1_i16).to_be_bytes() {
                (self.done, at) = (true, at + 2);
                break;
            }
            match self.row(bytes, at + 2, batch) {
                Ok(end) => at = end,
                Err(Trouble::Short) => break,
                Err(Trouble::Broken) => return Err(self.broken()),
                Err(Trouble::Value(column, why)) => {
                    return Err(BulkError::Value {
                        table: self.table.name.clone(),
                        column,
                        row: "?".to_owned(),
                        why,
                    });
                }
            }
        }
        Ok(at)
    }

    fn broken(&self) -> BulkError {
        BulkError::Broken(self.table.name.clone())
    }

    /// Where the row ends. Nothing is added of one that is not whole.
    fn row(&self, bytes: &[u8], begin: usize, batch: &mut Batch) -> Result<usize, Trouble> {
        let mut end = begin;
        for _ in &self.table.columns {
            end = field(bytes, end)?.1;
        }
        batch.begin_row();
        let mut at = begin;
        for (column, kind) in &self.table.columns {
            let (content, next) = field(bytes, at)?;
            let cell = match content {
                None => Cell::Null,
                Some(content) => cell(content, *kind).map_err(|why| Trouble::Value(column.clone(), why))?,
            };
            batch.push(cell);
            at = next;
        }
        Ok(end)
    }
}

/// A field's content, `None` for NULL, and where the next one begins.
fn field(bytes: &[u8], at: usize) -> Result<(Option<&[u8]>, usize), Trouble> {
    let length = bytes.get(at..at + 4).ok_or(Trouble::Short)?;
    let length = i32::from_be_bytes(length.try_into().map_err(|_| Trouble::Broken)?);
    if length == -1 {
        return Ok((None, at + 4));
    }
    let length = usize::try_from(length).map_err(|_| Trouble::Broken)?;
    let content = bytes.get(at + 4..at + 4 + length).ok_or(Trouble::Short)?;
    Ok((Some(content), at + 4 + length))
}

/// Numbers come as 64 bits: so it was asked for.
fn cell(content: &[u8], kind: CellKind) -> Result<Cell<'_>, &'static str> {
    let number = || {
        content
            .try_into()
            .map(i64::from_be_bytes)
            .map_err(|_| "is of another size than its type")
    };
    Ok(match kind {
        CellKind::Int => Cell::Int(number()?),
        CellKind::Real => {
            let number = content
                .try_into()
                .map_err(|_| "is of another size than its type")?;
            Cell::Real(f64::from_be_bytes(number))
        }
        CellKind::Text => Cell::Text(std::str::from_utf8(content).map_err(|_| "is not UTF-8")?),
        CellKind::Bytes => Cell::Bytes(content),
        CellKind::Bool => Cell::Bool(content == [1]),
        CellKind::At => {
            let micros = number()?;
            if micros == i64::MAX || micros == i64::MIN {
                return Err("is an infinite time");
            }
            Cell::At(Instant::from_unix_millis(micros.div_euclid(1_000) + EPOCH_MILLIS))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::Decoder;
    use crate::bulk::encode::Encoder;
    use crm_domain::instant::Instant;
    use crm_domain::ports::bulk::{Batch, Cell, CellKind, TableShape};

    #[test]
    fn what_is_encoded_is_decoded_wherever_it_is_cut() {
        let kinds = [
            CellKind::Int,
            CellKind::Text,
            CellKind::Bytes,
            CellKind::Bool,
            CellKind::At,
            CellKind::Real,
        ];
        let columns = kinds
            .iter()
            .enumerate()
            .map(|(place, kind)| (format!("c{place}"), *kind));
        let table = TableShape {
            name: "t".to_owned(),
            columns: columns.collect(),
            key: vec![0],
        };
        let mut batch = Batch::default();
        for number in 0..3 {
            batch.begin_row();
            batch.push(Cell::Int(number));
            batch.push(Cell::Text("渡邉"));
            batch.push(if number == 1 {
                Cell::Null
            } else {
                Cell::Bytes(&[0, 255])
            });
            batch.push(Cell::Bool(number == 0));
            batch.push(Cell::At(Instant::from_unix_millis(-62_135_596_800_000 + number)));
            batch.push(Cell::Real(0.5));
        }
        let mut sent = Vec::new();
        let encoder = Encoder::new(vec![8; 6]);
        encoder.encode(&table, &batch, &mut sent).unwrap();
        for cut in 0..sent.len() {
            let mut decoder = Decoder::new(&table);
            let mut read = Batch::default();
            decoder.take(&sent[..cut], &mut read).unwrap();
            assert!(!decoder.is_done());
            decoder.take(&sent[cut..], &mut read).unwrap();
            assert!(decoder.is_done() && read == batch, "{cut}");
        }
    }
}
