//! The whole database on the move: read in one view, or filled from nothing. Rows go through COPY in its binary form; tables
//! and columns are those that the catalogue names.

mod catalogue;
mod decode;
mod encode;
mod session;
mod source;
mod target;

use std::sync::Arc;

use crm_domain::ports::bulk::{BulkError, BulkSource, BulkStore, BulkTarget};

use crate::PostgresStore;
use source::Source;
use target::Target;

pub(crate) use session::is_unfinished;

impl BulkStore for PostgresStore {
    fn bulk_source(&self) -> Result<Box<dyn BulkSource>, BulkError> {
        Ok(Box::new(Source::begin(&self.desk)?))
    }

    fn bulk_target(&self) -> Result<Box<dyn BulkTarget>, BulkError> {
        Ok(Box::new(Target::open(Arc::clone(&self.desk))?))
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
