//! Reading everything in one view.

use std::pin::pin;
use std::sync::Arc;

use crm_domain::ports::bulk::{Batch, BulkError, BulkSource, Cell, CellKind, Key, TableShape, Take};
use futures_util::StreamExt;

use super::decode::Decoder;
use super::session::{Session, failed};
use super::{catalogue, literal, quoted};
use crate::desk::Desk;

/// A batch is handed over when it is about so long.
const BATCH: usize = 1 << 20;
/// A long row may be longer than a batch.
const ROOM: usize = BATCH + (64 << 10);

/// A connection with a transaction that lives as long as it does.
pub(super) struct Source(Session);

impl Source {
    pub(super) fn begin(desk: &Arc<Desk>) -> Result<Self, BulkError> {
        let session = Session::open(desk)?;
        // The view is that of the first query.
        session.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1")?;
        Ok(Self(session))
    }
}

impl BulkSource for Source {
    fn tables(&mut self) -> Result<Vec<TableShape>, BulkError> {
        catalogue::tables(&self.0)
    }

    fn count(&mut self, table: &TableShape) -> Result<u64, BulkError> {
        let count: Option<i64> = self
            .0
            .value(&format!("SELECT count(*) FROM {}", quoted(&table.name)), &[])?;
        Ok(count.unwrap_or_default().unsigned_abs())
    }

    fn counter(&mut self, table: &TableShape) -> Result<Option<i64>, BulkError> {
        let Some(column) = catalogue::numbered(&self.0, &table.name)? else {
            return Ok(None);
        };
        let sql = "SELECT pg_sequence_last_value(pg_get_serial_sequence(quote_ident($1::text), $2::text)::regclass)";
        Ok(self
            .0
            .value::<Option<i64>>(sql, &[&table.name, &column])?
            .flatten())
    }

    fn rows(&mut self, table: &TableShape, after: Option<&Key>, take: Take<'_>) -> Result<(), BulkError> {
        let sql = format!("COPY ({}) TO STDOUT (FORMAT binary)", select(table, after)?);
        self.0.wait(async |client| {
            let stream = client.copy_out(&sql).await.map_err(|error| failed(&error))?;
            let mut stream = pin!(stream);
            let mut decoder = Decoder::new(table);
            let mut batch = Batch::with_capacity(ROOM);
            while let Some(came) = stream.next().await {
                decoder.take(&came.map_err(|error| failed(&error))?, &mut batch)?;
                if batch.bytes().len() >= BATCH {
                    take(std::mem::replace(&mut batch, Batch::with_capacity(ROOM)))?;
                }
            }
            if !decoder.is_done() {
                return Err(BulkError::Broken(table.name.clone()));
            }
            if batch.is_empty() { Ok(()) } else { take(batch) }
        })
    }
}

fn select(table: &TableShape, after: Option<&Key>) -> Result<String, BulkError> {
    let asked = |(name, kind): &(String, CellKind)| match kind {
        CellKind::Int => format!("{}::int8", quoted(name)),
        CellKind::Real => format!("{}::float8", quoted(name)),
        _ => quoted(name),
    };
    let columns: Vec<String> = table.columns.iter().map(asked).collect();
    let ordered = |place: &usize| {
        let (name, kind) = table.columns.get(*place)?;
        let collation = if *kind == CellKind::Text {
            " COLLATE \"C\""
        } else {
            ""
        };
        Some(format!("{}{collation}", quoted(name)))
    };
    let key: Vec<String> = table.key.iter().filter_map(ordered).collect();
    let key = key.join(", ");
    let from = match after {
        None => String::new(),
        Some(place) => {
            let cells = place.cells().map_err(|_| BulkError::Broken(table.name.clone()))?;
            let cells: Vec<String> = cells.into_iter().map(written).collect();
            format!(" WHERE ({key}) > ({})", cells.join(", "))
        }
    };
    Ok(format!(
        "SELECT {} FROM {}{from} ORDER BY {key}",
        columns.join(", "),
        quoted(&table.name)
    ))
}

/// A value as SQL writes it.
fn written(cell: Cell<'_>) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Int(number) => format!("({number})::int8"),
        Cell::Real(number) => format!("'{number:?}'::float8"),
        Cell::Text(text) => literal(text),
        Cell::Bytes(bytes) => {
            let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let digits = digits.concat();
            format!("decode('{digits}', 'hex')")
        }
        Cell::Bool(yes) => yes.to_string(),
        Cell::At(at) => format!("{}::timestamp", literal(&at.utc().to_string())),
    }
}
