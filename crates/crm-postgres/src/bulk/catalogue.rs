//! What the database says about its tables.

use crm_domain::ports::bulk::{BulkError, CellKind, TableShape, ToldColumn, is_moved, parents_first};

use super::session::Session;

const TABLES: &str = "SELECT relname::text FROM pg_class
    WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = current_schema()::regnamespace";
const COLUMNS: &str = "SELECT a.attname::text, t.typname::text,
        coalesce(array_position(string_to_array(i.indkey::text, ' ')::int[], a.attnum::int), 0)::bigint
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
    WHERE a.attrelid = to_regclass(quote_ident($1::text)) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    ORDER BY a.attnum";
const REFERENCES: &str = "SELECT c.relname::text, p.relname::text FROM pg_constraint r
        JOIN pg_class c ON c.oid = r.conrelid JOIN pg_class p ON p.oid = r.confrelid
    WHERE r.contype = 'f' AND c.relnamespace = current_schema()::regnamespace";

/// The tables that are moved, parents first.
pub(super) fn tables(session: &Session) -> Result<Vec<TableShape>, BulkError> {
    let names = session.rows(TABLES, &[])?;
    let names = names.iter().map(|row| row.get::<_, String>(0));
    let tables: Result<Vec<_>, _> = names
        .filter(|name| is_moved(name))
        .map(|name| shape(session, name))
        .collect();
    let references = session.rows(REFERENCES, &[])?;
    let references: Vec<(String, String)> = references.iter().map(|row| (row.get(0), row.get(1))).collect();
    Ok(parents_first(tables?, &references))
}

fn shape(session: &Session, name: String) -> Result<TableShape, BulkError> {
    let rows = session.rows(COLUMNS, &[&name])?;
    let columns = rows.iter().map(|row| ToldColumn {
        name: row.get(0),
        declared: row.get(1),
        key_place: row.get(2),
    });
    TableShape::told(name, columns.collect(), kind)
}

fn kind(declared: &str) -> Option<CellKind> {
    Some(match declared {
        "int2" | "int4" | "int8" => CellKind::Int,
        "float4" | "float8" => CellKind::Real,
        "text" | "varchar" => CellKind::Text,
        "bytea" => CellKind::Bytes,
        "bool" => CellKind::Bool,
        "timestamp" | "timestamptz" => CellKind::At,
        _ => return None,
    })
}

/// How many bytes the whole numbers of a table's columns have, by name.
pub(super) fn widths(session: &Session, table: &str) -> Result<Vec<(String, u8)>, BulkError> {
    let rows = session.rows(COLUMNS, &[&table])?;
    let width = |declared: String| match declared.as_str() {
        "int2" => 2,
        "int4" | "float4" => 4,
        _ => 8,
    };
    Ok(rows.iter().map(|row| (row.get(0), width(row.get(1)))).collect())
}

/// The column that numbers the rows; `None`: the table gives out no numbers.
pub(super) fn numbered(session: &Session, table: &str) -> Result<Option<String>, BulkError> {
    session.value(
        "SELECT attname::text FROM pg_attribute
         WHERE attrelid = to_regclass(quote_ident($1::text)) AND attidentity <> '' AND NOT attisdropped",
        &[&table],
    )
}
