//! The whole database on the move: read in one view, or filled from nothing. Rows go through COPY in its binary form; tables
//! and columns are those that the catalogue names.

mod catalogue;
mod decode;
mod encode;
mod session;
mod source;
mod target;

use std::sync::Arc;

use crm_diesel::postgres::Conn;
use crm_domain::ports::bulk::{BulkError, BulkSource, BulkStore, BulkTarget};
use crm_domain::ports::store::StoreError;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use crate::PostgresStore;
use crate::error::PostgresError;
use source::Source;
use target::Target;

impl BulkStore for PostgresStore {
    fn bulk_source(&self) -> Result<Box<dyn BulkSource>, BulkError> {
        Ok(Box::new(Source::begin(&self.desk)?))
    }

    fn bulk_target(&self) -> Result<Box<dyn BulkTarget>, BulkError> {
        Ok(Box::new(Target::open(Arc::clone(&self.desk))?))
    }
}

/// Whether the database holds the beginning of a copy and is no store yet.
const IS_UNFINISHED: &str = "to_regclass('unfinished_copy') IS NOT NULL";

/// An error for a database that holds the beginning of a copy.
pub(crate) fn refuse_unfinished(conn: &mut Conn) -> Result<(), StoreError> {
    let look = diesel::select((
        sql::<Bool>(IS_UNFINISHED),
        sql::<Text>("current_database()::text"),
    ));
    match look.get_result(conn).map_err(StoreError::unavailable)? {
        (true, name) => Err(PostgresError::Unfinished(name).into()),
        (false, _) => Ok(()),
    }
}

/// A name as SQL writes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL writes it, whatever `standard_conforming_strings` says.
fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
