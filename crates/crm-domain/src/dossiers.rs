//! Dossiers: everything that is held about one person, to be given out.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::erasures::Subject;
use crate::ports::store::StoreError;
use crate::tally::DataKind;

/// A value of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Datum {
    /// Nothing is held.
    Nothing,
    /// A number.
    Number(i64),
    /// Whether.
    Flag(bool),
    /// A text; instants as UTC ISO 8601.
    Text(String),
}

impl From<i64> for Datum {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Datum {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<&str> for Datum {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Datum {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Datum>> From<Option<T>> for Datum {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

/// One stored row as names and values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record(pub Vec<(&'static str, Datum)>);

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Everything held about one person, kind by kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dossier(pub Vec<(DataKind, Vec<Record>)>);

impl Dossier {
    /// The records of a kind.
    pub fn records(&self, kind: DataKind) -> &[Record] {
        let found = self.0.iter().find(|(other, _)| *other == kind);
        found.map_or(&[], |(_, records)| records.as_slice())
    }
}

impl Serialize for Dossier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (kind, records) in &self.0 {
            map.serialize_entry(kind.code(), records)?;
        }
        map.end()
    }
}

/// Looking up what is held.
pub trait DossierQueries {
    /// The records of a kind about this person with numbers above `after`, in their order, at most `limit`; each carries its
    /// number as `id`. Kinds that no table holds have none.
    fn records_about(
        &mut self,
        subject: &Subject,
        kind: DataKind,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError>;
}
