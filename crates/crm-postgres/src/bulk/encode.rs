//! Rows as COPY takes them in its binary form.

use crm_domain::ports::bulk::{Batch, BulkError, Cell, TableShape};

use super::decode::{EPOCH_MILLIS, SIGNATURE};

/// Knows how wide the numbers of each column are.
pub(super) struct Encoder(Vec<u8>);

impl Encoder {
    pub(super) fn new(widths: Vec<u8>) -> Self {
        Self(widths)
    }

    /// A whole stream with these rows.
    pub(super) fn encode(
        &self,
        table: &TableShape,
        batch: &Batch,
        out: &mut Vec<u8>,
    ) -> Result<(), BulkError> {
        let broken = || BulkError::Broken(table.name.clone());
        let width = table.columns.len();
        let count = i16::try_from(width).map_err(|_| broken())?;
        out.extend_from_slice(SIGNATURE);
        out.extend_from_slice(&[0; 8]);
        let mut rows = batch.rows(width);
        let mut cells = Vec::with_capacity(width);
        while rows.next_into(&mut cells).map_err(|_| broken())? {
            out.extend_from_slice(&count.to_be_bytes());
            for (place, cell) in cells.iter().enumerate() {
                let width = self.0.get(place).copied().unwrap_or(8);
                if !put(out, *cell, width) {
                    return Err(unfit(table, &cells, place));
                }
            }
        }
        out.extend_from_slice(&(-1_i16).to_be_bytes());
        Ok(())
    }
}

fn unfit(table: &TableShape, cells: &[Cell<'_>], place: usize) -> BulkError {
    let key: Vec<String> = table
        .key
        .iter()
        .filter_map(|place| cells.get(*place))
        .map(shown)
        .collect();
    BulkError::Value {
        table: table.name.clone(),
        column: table
            .columns
            .get(place)
            .map(|column| column.0.clone())
            .unwrap_or_default(),
        row: key.join("/"),
        why: "is a number too large for its column",
    }
}

fn shown(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Int(number) => number.to_string(),
        Cell::Text(text) => (*text).to_owned(),
        _ => "?".to_owned(),
    }
}

/// `false`: the column is too narrow for it.
fn put(out: &mut Vec<u8>, cell: Cell<'_>, width: u8) -> bool {
    match cell {
        Cell::Null => out.extend_from_slice(&(-1_i32).to_be_bytes()),
        Cell::Int(number) => match width {
            2 => match i16::try_from(number) {
                Ok(number) => field(out, &number.to_be_bytes()),
                Err(_) => return false,
            },
            4 => match i32::try_from(number) {
                Ok(number) => field(out, &number.to_be_bytes()),
                Err(_) => return false,
            },
            _ => field(out, &number.to_be_bytes()),
        },
        Cell::Real(number) => field(out, &number.to_be_bytes()),
        Cell::Text(text) => field(out, text.as_bytes()),
        Cell::Bytes(bytes) => field(out, bytes),
        Cell::Bool(yes) => field(out, &[u8::from(yes)]),
        Cell::At(at) => field(out, &((at.unix_millis() - EPOCH_MILLIS) * 1_000).to_be_bytes()),
    }
    true
}

/// A message to PostgreSQL is never longer than 2 GiB, nor is a value.
fn field(out: &mut Vec<u8>, content: &[u8]) {
    let length = i32::try_from(content.len()).unwrap_or(i32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(content);
}
