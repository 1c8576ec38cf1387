//! Whole databases on the move: all rows of one store read in one view and written into another, whichever they are.
//!
//! Everything here blocks; it belongs onto threads made for waiting. Tables, columns and their order come from the
//! database's own catalogue, so that a new migration is moved without anybody thinking of it; [`LEFT_BEHIND`] names
//! what stays.

mod batch;

use std::fmt;

pub use self::batch::{Batch, Cell, Nonsense, Row, Rows};
use super::store::StoreError;

/// Tables whose rows are never moved, and why: what belongs to one store's past, to a browser's visit or to a moment.
pub const LEFT_BEHIND: &[(&str, &str)] = &[
    ("sessions", "people sign in again"),
    (
        "one_time_links",
        "links work once, in the store that gave them out",
    ),
    ("pending_sign_ins", "half a sign-in is begun anew"),
    ("setup_links", "links work once, in the store that gave them out"),
    ("failed_sign_ins", "counters of attempts"),
    ("operations", "keys of units of work that are over"),
    ("departures", "counters of requests"),
    ("send_budgets", "counters of requests"),
    ("events", "live events begin a new epoch"),
    ("event_epoch", "live events begin a new epoch"),
    ("leases", "who does what at this moment"),
    ("shared_counts", "what was counted in the last minute"),
    ("access_tokens", "fetched anew when needed"),
    ("schema_version", "the store's own"),
    ("__diesel_schema_migrations", "the store's own"),
    ("idempotency_keys", "answers of requests that are over"),
    ("blob_bodies", "files are moved as files"),
    ("blob_chunks", "files are moved as files"),
    ("blobs", "files are moved as files"),
    ("activity_words", "made anew from what messages say"),
    ("unfinished_copy", "the mark of a copy that is not finished"),
];

/// Columns that are never moved, and why: each store makes what they tell of by itself.
pub const NOT_MOVED: &[(&str, &str, &str)] = &[(
    "activities",
    "indexed",
    "no message is in the other store's index yet",
)];

fn is_own(table: &str, column: &str) -> bool {
    NOT_MOVED
        .iter()
        .any(|(of, name, _)| (*of, *name) == (table, column))
}

/// Whether the rows of this table are moved.
pub fn is_moved(table: &str) -> bool {
    LEFT_BEHIND.iter().all(|(name, _)| *name != table)
}

/// What a column holds, whatever the database calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    /// Whole numbers of up to 64 bits.
    Int,
    /// 64-bit floating point.
    Real,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// Yes or no.
    Bool,
    /// An instant.
    At,
}

impl CellKind {
    /// The stable code, for manifests.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Real => "real",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Bool => "bool",
            Self::At => "at",
        }
    }

    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        [
            Self::Int,
            Self::Real,
            Self::Text,
            Self::Bytes,
            Self::Bool,
            Self::At,
        ]
        .into_iter()
        .find(|kind| kind.code() == code)
    }
}

/// A table: its columns in the order in which its rows are written, and the columns of its primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableShape {
    /// Its name.
    pub name: String,
    /// Name and kind of each column.
    pub columns: Vec<(String, CellKind)>,
    /// The primary key, as places in `columns`, in the key's order. Never empty.
    pub key: Vec<usize>,
}

/// A column as a database's own catalogue tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldColumn {
    /// Its name.
    pub name: String,
    /// Its type, by the database's word.
    pub declared: String,
    /// Its place in the primary key, from 1; 0: it is not part of it.
    pub key_place: i64,
}

impl TableShape {
    /// The table of these columns but [`NOT_MOVED`]; `kind` knows the database's words for what a column holds.
    ///
    /// # Errors
    /// A column of a type that nobody taught us, or a table without a primary key.
    pub fn told(
        name: String,
        told: Vec<ToldColumn>,
        kind: impl Fn(&str) -> Option<CellKind>,
    ) -> Result<Self, BulkError> {
        let mut columns = Vec::with_capacity(told.len());
        let mut key = Vec::new();
        for column in told.into_iter().filter(|column| !is_own(&name, &column.name)) {
            let Some(kind) = kind(&column.declared) else {
                return Err(BulkError::Kind {
                    table: name,
                    column: column.name,
                    kind: column.declared,
                });
            };
            if column.key_place > 0 {
                key.push((column.key_place, columns.len()));
            }
            columns.push((column.name, kind));
        }
        if key.is_empty() {
            return Err(BulkError::OtherShape(name));
        }
        key.sort_unstable();
        Ok(Self {
            name,
            columns,
            key: key.into_iter().map(|(_, column)| column).collect(),
        })
    }

    /// Whether both hold the same columns under the same name, in whatever order.
    pub fn fits(&self, other: &Self) -> bool {
        let sorted = |shape: &Self| {
            let mut columns = shape.columns.clone();
            columns.sort_by(|left, right| left.0.cmp(&right.0));
            columns
        };
        let names = |shape: &Self| -> Vec<Option<String>> {
            let name = |place: &usize| shape.columns.get(*place).map(|column| column.0.clone());
            shape.key.iter().map(name).collect()
        };
        self.name == other.name && sorted(self) == sorted(other) && names(self) == names(other)
    }

    /// The shape without these columns, for comparing what else is in the table. Columns of the key stay.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        let stays = |place: usize, name: &str| self.key.contains(&place) || !names.contains(&name);
        let kept: Vec<usize> = (0..self.columns.len())
            .filter(|place| {
                self.columns
                    .get(*place)
                    .is_some_and(|column| stays(*place, &column.0))
            })
            .collect();
        let moved = |place: &usize| kept.iter().position(|kept| kept == place);
        Self {
            name: self.name.clone(),
            columns: kept
                .iter()
                .filter_map(|place| self.columns.get(*place).cloned())
                .collect(),
            key: self.key.iter().filter_map(moved).collect(),
        }
    }
}

/// The primary key of a row, written as the row's cells are: a place in a table from which reading goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(pub Vec<u8>);

/// Why rows cannot be moved. The text is for whoever runs the program.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BulkError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored value is not of its column's kind, or the other database cannot keep it.
    #[error("{table}.{column} of row {row} {why}; mend that row in the source, then copy again")]
    Value {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The row's key, as text.
        row: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A column of a type that nobody taught us.
    #[error(
        "{table}.{column} has the type {kind}, which cannot be copied; this program is of another version"
    )]
    Kind {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The type as the database calls it.
        kind: String,
    },
    /// The target has a row where none may be.
    #[error("the target is not empty: table {0} has rows; copy into a new, empty database")]
    NotEmpty(String),
    /// The target holds the beginning of another copy.
    #[error(
        "the target holds an unfinished copy of {0}; finish that one, or copy into a new, empty database"
    )]
    OtherCopy(String),
    /// Both sides have different tables or columns.
    #[error(
        "table {0} is not the same in source and target; bring both to this program's version with `crm migrate`"
    )]
    OtherShape(String),
    /// A row refers to one that is not there.
    #[error(
        "a row of table {0} refers to a row that does not exist; mend that row in the source, then copy again"
    )]
    Dangling(String),
    /// Bytes that are no rows.
    #[error("the rows of table {0} cannot be read: they were changed or cut off")]
    Broken(String),
    /// Somebody who takes the rows stopped it, for a reason of its own.
    #[error("{0}")]
    Stopped(String),
}

/// Takes rows as they come.
pub type Take<'a> = &'a mut dyn FnMut(Batch) -> Result<(), BulkError>;

/// All rows of a store, in one view of it for as long as this lives.
pub trait BulkSource: Send {
    /// The tables that are moved, those that are referred to before those that refer to them.
    fn tables(&mut self) -> Result<Vec<TableShape>, BulkError>;

    /// How many rows a table has.
    fn count(&mut self, table: &TableShape) -> Result<u64, BulkError>;

    /// The highest number that this table ever gave to a row, also to one that is deleted; `None`: it gives out none, or
    /// gave out none yet.
    fn counter(&mut self, table: &TableShape) -> Result<Option<i64>, BulkError>;

    /// Hands over the rows of a table, all or those after a place, in the order of its key, in batches of about a
    /// megabyte, none of them empty. `table` may name fewer columns than there are, in any order. An error of `take`
    /// ends it and is answered.
    fn rows(&mut self, table: &TableShape, after: Option<&Key>, take: Take<'_>) -> Result<(), BulkError>;
}

/// How far a table was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reached {
    /// Rows of it that are durable.
    pub rows: u64,
    /// The last one; `None`: none yet.
    pub last: Option<Key>,
}

/// What finishing is busy with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finishing<'a> {
    /// An index is made.
    Index(&'a str),
    /// References are proved.
    References(&'a str),
    /// Everything is written to the disk and looked through.
    Check,
}

/// An empty store that is being filled. From [`begin`](Self::begin) to [`release`](Self::release) it refuses to be
/// opened as a store, also after a crash; filling can be taken up again at any point.
pub trait BulkTarget: Send {
    /// Applies the migrations to an empty database and marks it as unfinished, or takes up the unfinished copy of the same
    /// origin (any text that names the source and tells no secret). Answers the tables, as [`BulkSource::tables`] does.
    fn begin(&mut self, origin: &str) -> Result<Vec<TableShape>, BulkError>;

    /// How far a table was written, by an earlier run too.
    fn reached(&mut self, table: &TableShape) -> Result<Reached, BulkError>;

    /// Writes the next rows of a table, in the order of its key. They survive the program's end from here on, with the
    /// place; a power failure may take the last ones back, with the place. Tables may come in any order, one after the
    /// other.
    fn write(&mut self, table: &TableShape, batch: &Batch) -> Result<(), BulkError>;

    /// Numbers up to this one were given out in a table; nothing is done for a table that gives out none.
    fn count_on(&mut self, table: &TableShape, counter: i64) -> Result<(), BulkError>;

    /// Makes indexes, proves references, sets counters behind the highest number, looks through the file, and has
    /// everything on the disk when it returns. May be repeated; rows cannot be written after it.
    fn complete(&mut self, told: &mut dyn FnMut(Finishing<'_>)) -> Result<(), BulkError>;

    /// The word that was noted last, by an earlier run too: what the caller need not do again.
    fn noted(&mut self) -> Result<Option<String>, BulkError>;

    /// Notes a word, durably.
    fn note(&mut self, word: &str) -> Result<(), BulkError>;

    /// What was written, to be read back: committed rows only.
    fn written(&mut self) -> Result<Box<dyn BulkSource>, BulkError>;

    /// Takes the mark away: from now on it is a store.
    fn release(&mut self) -> Result<(), BulkError>;
}

/// A store that can be moved as a whole. Both calls block.
pub trait BulkStore: Send + Sync {
    /// Everything as of now, in one view: from the replica if there is one.
    fn bulk_source(&self) -> Result<Box<dyn BulkSource>, BulkError>;

    /// An empty database to be filled, or an unfinished copy to go on with. The store must have been opened for this:
    /// one that is opened to work with refuses an unfinished copy.
    fn bulk_target(&self) -> Result<Box<dyn BulkTarget>, BulkError>;
}

/// The tables in an order in which those that are referred to come first; of equal ones by name. `references` are pairs of a
/// table and one that it refers to. Tables that refer to each other in a circle come last.
pub fn parents_first(mut tables: Vec<TableShape>, references: &[(String, String)]) -> Vec<TableShape> {
    tables.sort_by(|left, right| left.name.cmp(&right.name));
    let mut ordered: Vec<TableShape> = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let waits = |table: &TableShape| {
            references.iter().any(|(from, to)| {
                *from == table.name && from != to && tables.iter().any(|other| other.name == *to)
            })
        };
        let next = tables.iter().position(|table| !waits(table)).unwrap_or(0);
        ordered.push(tables.remove(next));
    }
    ordered
}

impl fmt::Display for Finishing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(name) => write!(f, "index {name}"),
            Self::References(name) => write!(f, "references of {name}"),
            Self::Check => f.write_str("check"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BulkError, CellKind, LEFT_BEHIND, TableShape, ToldColumn, is_moved, parents_first};

    fn shape(columns: &[(&str, CellKind)], key: &[usize]) -> TableShape {
        TableShape {
            name: "t".to_owned(),
            columns: columns
                .iter()
                .map(|(name, kind)| ((*name).to_owned(), *kind))
                .collect(),
            key: key.to_vec(),
        }
    }

    #[test]
    fn a_table_is_told_with_its_key_in_order_or_refused_by_name() {
        let told = |columns: &[(&str, &str, i64)]| {
            let columns = columns.iter().map(|(name, declared, key_place)| ToldColumn {
                name: (*name).to_owned(),
                declared: (*declared).to_owned(),
                key_place: *key_place,
            });
            TableShape::told("t".to_owned(), columns.collect(), CellKind::from_code)
        };
        assert_eq!(
            told(&[("b", "text", 2), ("c", "bool", 0), ("a", "int", 1)]).unwrap(),
            shape(
                &[("b", CellKind::Text), ("c", CellKind::Bool), ("a", CellKind::Int)],
                &[2, 0]
            )
        );
        assert!(matches!(
            told(&[("a", "int", 1), ("x", "xml", 0)]),
            Err(BulkError::Kind { table, column, kind }) if (&*table, &*column, &*kind) == ("t", "x", "xml")
        ));
        assert!(matches!(told(&[("a", "int", 0)]), Err(BulkError::OtherShape(table)) if table == "t"));
    }

    #[test]
    fn columns_may_stand_in_another_order_but_not_be_of_another_kind() {
        let one = shape(&[("id", CellKind::Int), ("name", CellKind::Text)], &[0]);
        assert!(one.fits(&shape(&[("name", CellKind::Text), ("id", CellKind::Int)], &[1])));
        assert!(!one.fits(&shape(&[("name", CellKind::Text), ("id", CellKind::Int)], &[0])));
        assert!(!one.fits(&shape(&[("id", CellKind::Int), ("name", CellKind::Bytes)], &[0])));
        assert!(!one.fits(&shape(&[("id", CellKind::Int)], &[0])));
    }

    #[test]
    fn leaving_columns_out_keeps_the_key() {
        let one = shape(
            &[("a", CellKind::Int), ("b", CellKind::Text), ("c", CellKind::Int)],
            &[2],
        );
        assert_eq!(
            one.without(&["a", "c"]),
            shape(&[("b", CellKind::Text), ("c", CellKind::Int)], &[1])
        );
    }

    #[test]
    fn those_referred_to_come_first_and_circles_end() {
        let named = |name: &str| TableShape {
            name: name.to_owned(),
            ..shape(&[("id", CellKind::Int)], &[0])
        };
        let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let order = |references: &[(String, String)]| -> String {
            let tables = vec![named("c"), named("a"), named("b")];
            let ordered = parents_first(tables, references);
            ordered.iter().map(|table| table.name.as_str()).collect()
        };
        assert_eq!(order(&[]), "abc");
        assert_eq!(
            order(&[pair("a", "b"), pair("b", "c"), pair("b", "b"), pair("b", "gone")]),
            "cba"
        );
        assert_eq!(order(&[pair("a", "b"), pair("b", "a")]), "cab");
    }

    #[test]
    fn what_is_left_behind_is_named_once() {
        let mut names: Vec<_> = LEFT_BEHIND.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), LEFT_BEHIND.len());
        assert!(is_moved("customers") && !is_moved("sessions"));
    }

    #[test]
    fn kinds_come_back_from_their_codes() {
        for code in ["int", "real", "text", "bytes", "bool", "at"] {
            assert_eq!(CellKind::from_code(code).map(CellKind::code), Some(code));
        }
        assert_eq!(CellKind::from_code("xml"), None);
    }
}
