//! What the file says about its tables.

use crm_domain::ports::bulk::{BulkError, CellKind, TableShape, is_moved, parents_first};
use rusqlite::Connection;

use super::failed;

/// The tables that are moved, parents first.
pub(super) fn tables(conn: &Connection) -> Result<Vec<TableShape>, BulkError> {
    let sql =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let mut names = strings(conn, sql, None)?;
    names.retain(|name| is_moved(name));
    let mut tables = Vec::with_capacity(names.len());
    let mut references = Vec::new();
    for name in names {
        let to = strings(
            conn,
            "SELECT \"table\" FROM pragma_foreign_key_list(?1)",
            Some(&name),
        )?;
        references.extend(to.into_iter().map(|to| (name.clone(), to)));
        tables.push(shape(conn, name)?);
    }
    Ok(parents_first(tables, &references))
}

fn shape(conn: &Connection, name: String) -> Result<TableShape, BulkError> {
    let mut statement = conn
        .prepare("SELECT name, type, pk FROM pragma_table_xinfo(?1) WHERE hidden = 0 ORDER BY cid")
        .map_err(|error| failed(&error))?;
    let rows = statement.query_map([&name], |row| {
        Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?))
    });
    let mut columns = Vec::new();
    let mut key = Vec::new();
    for row in rows.map_err(|error| failed(&error))? {
        let (column, declared, place): (String, String, i64) = row.map_err(|error| failed(&error))?;
        let kind = kind(&declared).ok_or_else(|| BulkError::Kind {
            table: name.clone(),
            column: column.clone(),
            kind: declared,
        })?;
        if place > 0 {
            key.push((place, columns.len()));
        }
        columns.push((column, kind));
    }
    key.sort_unstable();
    if key.is_empty() {
        return Err(BulkError::OtherShape(name));
    }
    Ok(TableShape {
        name,
        columns,
        key: key.into_iter().map(|(_, column)| column).collect(),
    })
}

fn kind(declared: &str) -> Option<CellKind> {
    Some(match declared {
        "INTEGER" | "BIGINT" | "SMALLINT" => CellKind::Int,
        "REAL" | "DOUBLE" => CellKind::Real,
        "TEXT" => CellKind::Text,
        "BLOB" => CellKind::Bytes,
        "BOOLEAN" => CellKind::Bool,
        "TIMESTAMP" | "DATETIME" => CellKind::At,
        _ => return None,
    })
}

fn strings(conn: &Connection, sql: &str, of: Option<&str>) -> Result<Vec<String>, BulkError> {
    let read = || -> rusqlite::Result<Vec<String>> {
        let mut statement = conn.prepare(sql)?;
        let rows = statement.query_map(rusqlite::params_from_iter(of), |row| row.get(0))?;
        rows.collect()
    };
    read().map_err(|error| failed(&error))
}
