//! What became of a file's records.

use crm_domain::error::Error;
use crm_domain::values::{FieldError, Problem};
use serde_json::{Value, json};

use crate::failure::{self, Failure};
use crate::texts::Texts;

/// Counts, and what was refused.
#[derive(Debug, Default)]
pub(crate) struct TableReport {
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) unchanged: u64,
    pub(crate) rejected: u64,
    pub(crate) errors: Vec<LineError>,
    /// Lines that were taken with a login id in place of a user id.
    pub(crate) login_ids: Vec<u64>,
}

/// Why a line was refused.
#[derive(Debug)]
pub(crate) struct LineError {
    line: u64,
    error: FieldError,
}

/// What became of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Became {
    Created,
    Updated,
    Unchanged,
}

/// Why a record has no place: its own fault, or one that ends the run.
pub(super) enum Refusal {
    Record(Vec<FieldError>),
    Run(Failure),
}

impl Refusal {
    pub(super) fn field(field: &'static str, problem: Problem) -> Self {
        Self::Record(vec![FieldError::new(field, problem)])
    }
}

impl From<Vec<FieldError>> for Refusal {
    fn from(errors: Vec<FieldError>) -> Self {
        Self::Record(errors)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(errors) => Self::Record(errors),
            Error::NotFound(_) => Self::field("id", Problem::Missing),
            other => Self::Run(other.into()),
        }
    }
}

impl TableReport {
    pub(super) fn note(&mut self, line: u64, outcome: Result<Became, Refusal>) -> Result<(), Failure> {
        match outcome {
            Ok(Became::Created) => self.created += 1,
            Ok(Became::Updated) => self.updated += 1,
            Ok(Became::Unchanged) => self.unchanged += 1,
            Err(Refusal::Run(failure)) => return Err(failure),
            Err(Refusal::Record(errors)) => {
                self.rejected += 1;
                self.errors
                    .extend(errors.into_iter().map(|error| LineError { line, error }));
            }
        }
        Ok(())
    }
}

impl LineError {
    pub(crate) fn json(&self, texts: &Texts) -> Value {
        json!({
            "line": self.line,
            "field": self.error.field,
            "code": self.error.problem.code(),
            "message": failure::field(&self.error, texts),
        })
    }

    pub(crate) fn line(&self, texts: &Texts) -> String {
        let pairs = [
            ("line", self.line.to_string()),
            ("error", failure::field(&self.error, texts)),
        ];
        texts.fill(
            "import.line",
            &pairs.each_ref().map(|(name, value)| (*name, value.as_str())),
        )
    }
}
