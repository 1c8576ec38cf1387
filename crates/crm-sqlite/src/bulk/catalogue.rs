//! What the file says about its tables.

use crm_domain::ports::bulk::{BulkError, CellKind, TableShape, ToldColumn, is_moved, parents_first};
use rusqlite::Connection;

use super::failed;

/// The tables that are moved, parents first.
pub(super) fn tables(conn: &Connection) -> Result<Vec<TableShape>, BulkError> {
    // Neither indexes that look like tables nor what they keep their entries in.
    let sql = "SELECT name FROM pragma_table_list \
               WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
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
    let columns = || -> rusqlite::Result<Vec<ToldColumn>> {
        let sql = "SELECT name, type, pk FROM pragma_table_xinfo(?1) WHERE hidden = 0 ORDER BY cid";
        let mut statement = conn.prepare(sql)?;
        let rows = statement.query_map([&name], |row| {
            Ok(ToldColumn {
                name: row.get(0)?,
                declared: row.get(1)?,
                key_place: row.get(2)?,
            })
        })?;
        rows.collect()
    };
    let columns = columns().map_err(|error| failed(&error))?;
    TableShape::told(name, columns, kind)
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
