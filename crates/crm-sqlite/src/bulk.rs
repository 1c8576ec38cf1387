//! The whole file on the move: read in one view, or filled from nothing. Tables and columns are those that the file has.

mod catalogue;
mod source;
mod target;

use crm_domain::ports::bulk::{BulkError, BulkSource, BulkStore, BulkTarget};
use crm_domain::ports::store::StoreError;
use rusqlite::Connection;

use crate::SqliteStore;
use crate::error::SqliteError;
use source::Source;
use target::Target;

impl BulkStore for SqliteStore {
    fn bulk_source(&self) -> Result<Box<dyn BulkSource>, BulkError> {
        Ok(Box::new(Source::begin(&self.opener)?))
    }

    fn bulk_target(&self) -> Result<Box<dyn BulkTarget>, BulkError> {
        Ok(Box::new(Target::open(&self.opener)?))
    }
}

/// What SQLite says, as a store's error: a full disk by the words that say so.
fn failed(error: &rusqlite::Error) -> BulkError {
    BulkError::Store(StoreError::from(SqliteError::Lost(error.to_string())))
}

/// Whether the file holds the beginning of a copy and is no store yet.
pub(crate) fn unfinished(conn: &Connection) -> rusqlite::Result<bool> {
    conn.query_row(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'unfinished_copy'",
        [],
        |row| row.get::<_, i64>(0),
    )
    .map(|tables| tables > 0)
}

/// A name as SQL writes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
