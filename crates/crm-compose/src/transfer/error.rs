//! Why a copy was not made, as a code and what the sentence names.

use crm_domain::error::Error;
use crm_domain::ports::blobs::BlobError;
use crm_domain::ports::bulk::BulkError;

use crate::settings::Database;
use crate::start_error::StartError;

/// What stopped a copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// One of both stores cannot be opened, or somebody works on it.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Both are one.
    #[error("{0} cannot be copied onto itself")]
    Same(Database),
    /// The source is not there.
    #[error("there is no {0}")]
    SourceMissing(Database),
    /// There is nothing in the source.
    #[error("{0} holds nothing")]
    SourceEmpty(Database),
    /// The source is of an older version than this program.
    #[error("{database} lacks {missing} migration(s)")]
    SourceOld {
        /// Which.
        database: Database,
        /// How many migrations it lacks.
        missing: usize,
    },
    /// Reading or writing rows.
    #[error(transparent)]
    Rows(#[from] BulkError),
    /// The files.
    #[error("a file could not be copied: {0}")]
    Files(#[from] BlobError),
    /// Somebody changed the source meanwhile.
    #[error("{0} was changed while it was copied")]
    Changed(Database),
    /// What is done to the target at the end failed.
    #[error(transparent)]
    Calming(#[from] Error),
}

impl CopyError {
    /// Stable name of the sentence, and what it names; nothing for those that have sentences of their own.
    pub fn told(&self) -> (&'static str, Vec<(&'static str, String)>) {
        let database = |database: &Database| vec![("database", database.to_string())];
        match self {
            Self::Start(error) => (error.code(), Vec::new()),
            Self::Same(one) => ("copy_same", database(one)),
            Self::SourceMissing(one) => ("copy_source_missing", database(one)),
            Self::SourceEmpty(one) => ("copy_source_empty", database(one)),
            Self::SourceOld { database, missing } => (
                "copy_source_old",
                vec![("database", database.to_string()), ("count", missing.to_string())],
            ),
            Self::Changed(one) => ("copy_changed", database(one)),
            Self::Files(error) => ("copy_files", vec![("error", chain(error))]),
            Self::Calming(error) => ("copy_end", vec![("error", chain(error))]),
            Self::Rows(error) => rows(error),
        }
    }
}

fn rows(error: &BulkError) -> (&'static str, Vec<(&'static str, String)>) {
    let table = |name: &String| vec![("table", name.clone())];
    match error {
        BulkError::NotEmpty(name) => ("copy_not_empty", table(name)),
        BulkError::OtherCopy(origin) => ("copy_other", vec![("origin", origin.clone())]),
        BulkError::OtherShape(name) => ("copy_shape", table(name)),
        BulkError::Dangling(name) => ("copy_dangling", table(name)),
        BulkError::Value {
            table,
            column,
            row,
            why,
        } => (
            "copy_value",
            vec![
                ("table", table.clone()),
                ("column", column.clone()),
                ("row", row.clone()),
                ("why", (*why).to_owned()),
            ],
        ),
        other => ("copy_rows", vec![("error", chain(other))]),
    }
}

/// An error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let words = deeper.to_string();
        if !text.ends_with(&words) {
            text = format!("{text}: {words}");
        }
        cause = deeper.source();
    }
    text
}
