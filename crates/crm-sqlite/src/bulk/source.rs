//! Reading everything in one view.

use crm_diesel::read_instant;
use crm_domain::ports::bulk::{Batch, BulkError, BulkSource, Cell, CellKind, Key, TableShape, Take};
use crm_domain::ports::store::StoreError;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Statement};

use super::{catalogue, failed, quoted};
use crate::connection::Opener;

/// A batch is handed over when it is about so long.
const BATCH: usize = 1 << 20;
/// A long row may be longer than a batch.
const ROOM: usize = BATCH + (64 << 10);

/// A connection with a transaction that lives as long as it does.
pub(super) struct Source(Connection);

impl Source {
    pub(super) fn begin(opener: &Opener) -> Result<Self, BulkError> {
        let conn = opener.dynamic().map_err(StoreError::from)?;
        let begin = || -> rusqlite::Result<()> {
            conn.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -16000; BEGIN DEFERRED")?;
            // The view is that of the first query.
            conn.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))
        };
        begin().map_err(|error| failed(&error))?;
        Ok(Self(conn))
    }
}

impl BulkSource for Source {
    fn tables(&mut self) -> Result<Vec<TableShape>, BulkError> {
        catalogue::tables(&self.0)
    }

    fn count(&mut self, table: &TableShape) -> Result<u64, BulkError> {
        let sql = format!("SELECT count(*) FROM {}", quoted(&table.name));
        let count = self.0.query_row(&sql, [], |row| row.get::<_, i64>(0));
        count.map(i64::unsigned_abs).map_err(|error| failed(&error))
    }

    fn counter(&mut self, table: &TableShape) -> Result<Option<i64>, BulkError> {
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = ?1";
        let counter = self.0.query_row(sql, [&table.name], |row| row.get(0));
        counter.optional().map_err(|error| failed(&error))
    }

    fn rows(&mut self, table: &TableShape, after: Option<&Key>, take: Take<'_>) -> Result<(), BulkError> {
        let broken = |_| BulkError::Broken(table.name.clone());
        let mut statement = self
            .0
            .prepare(&select(table, after.is_some()))
            .map_err(|error| failed(&error))?;
        if let Some(key) = after {
            for (place, cell) in key.cells().map_err(broken)?.into_iter().enumerate() {
                statement
                    .raw_bind_parameter(place + 1, bound(cell))
                    .map_err(|error| failed(&error))?;
            }
        }
        stream(table, &mut statement, take)
    }
}

/// The value of a cell as this store keeps it.
pub(super) fn bound(cell: Cell<'_>) -> ToSqlOutput<'_> {
    match cell {
        Cell::Null => ToSqlOutput::Owned(Value::Null),
        Cell::Int(number) => ToSqlOutput::Owned(Value::Integer(number)),
        Cell::Real(number) => ToSqlOutput::Owned(Value::Real(number)),
        Cell::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        Cell::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        Cell::Bool(yes) => ToSqlOutput::Owned(Value::Integer(i64::from(yes))),
        Cell::At(at) => ToSqlOutput::Owned(Value::Text(crm_diesel::write_instant(at))),
    }
}

fn select(table: &TableShape, after: bool) -> String {
    let columns: Vec<String> = table.columns.iter().map(|(name, _)| quoted(name)).collect();
    let key: Vec<&str> = table
        .key
        .iter()
        .filter_map(|place| columns.get(*place))
        .map(String::as_str)
        .collect();
    let places: Vec<String> = (1..=key.len()).map(|place| format!("?{place}")).collect();
    let key = key.join(", ");
    let from = if after {
        format!(" WHERE ({key}) > ({})", places.join(", "))
    } else {
        String::new()
    };
    format!(
        "SELECT {} FROM {}{from} ORDER BY {key}",
        columns.join(", "),
        quoted(&table.name)
    )
}

fn stream(table: &TableShape, statement: &mut Statement<'_>, take: Take<'_>) -> Result<(), BulkError> {
    let mut rows = statement.raw_query();
    let mut batch = Batch::with_capacity(ROOM);
    while let Some(row) = rows.next().map_err(|error| failed(&error))? {
        batch.begin_row();
        for (place, (column, kind)) in table.columns.iter().enumerate() {
            let value = row.get_ref(place).map_err(|error| failed(&error))?;
            let cell = cell(value, *kind).map_err(|why| BulkError::Value {
                table: table.name.clone(),
                column: column.clone(),
                row: name_of(table, row),
                why,
            })?;
            batch.push(cell);
        }
        if batch.bytes().len() >= BATCH {
            take(std::mem::replace(&mut batch, Batch::with_capacity(ROOM)))?;
        }
    }
    if batch.is_empty() { Ok(()) } else { take(batch) }
}

/// SQLite keeps any value in any column; what does not belong there was written by another program.
fn cell(value: ValueRef<'_>, kind: CellKind) -> Result<Cell<'_>, &'static str> {
    Ok(match (value, kind) {
        (ValueRef::Null, _) => Cell::Null,
        (ValueRef::Integer(number), CellKind::Int) => Cell::Int(number),
        (ValueRef::Integer(number @ (0 | 1)), CellKind::Bool) => Cell::Bool(number == 1),
        (ValueRef::Real(number), CellKind::Real) => Cell::Real(number),
        (ValueRef::Blob(bytes), CellKind::Bytes) => Cell::Bytes(bytes),
        (ValueRef::Text(text), CellKind::Text) => {
            let text = std::str::from_utf8(text).map_err(|_| "is not UTF-8")?;
            if text.contains('\0') {
                return Err("contains the character U+0000, which no other database keeps");
            }
            Cell::Text(text)
        }
        (ValueRef::Text(text), CellKind::At) => {
            let at = std::str::from_utf8(text).ok().and_then(read_instant);
            Cell::At(at.ok_or("is no date and time")?)
        }
        _ => return Err("is of another kind than its column"),
    })
}

fn name_of(table: &TableShape, row: &rusqlite::Row<'_>) -> String {
    let shown = |place: &usize| match row.get_ref(*place) {
        Ok(ValueRef::Integer(number)) => number.to_string(),
        Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
        _ => "?".to_owned(),
    };
    table.key.iter().map(shown).collect::<Vec<_>>().join("/")
}
