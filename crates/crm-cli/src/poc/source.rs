//! Reads the old database: read-only, in short reads, whatever its columns hold.

use std::collections::BTreeSet;
use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel::sqlite::SqliteConnection;

use crate::failure::Failure;

/// Rows read at once, and written in one unit of work.
pub(super) const CHUNK: i64 = 2_000;

/// The old database.
pub(crate) struct PocFile {
    connection: SqliteConnection,
    name: String,
}

/// A company as the old system kept it.
pub(super) struct PocCompany {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) address: String,
    pub(super) phone: String,
    pub(super) website: String,
}

/// A customer as the old system kept it.
pub(super) struct PocCustomer {
    pub(super) id: i64,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) email: String,
    pub(super) phone: String,
    pub(super) line_user_id: String,
    pub(super) company_id: Option<i64>,
}

/// A message as the old system kept it.
pub(super) struct PocActivity {
    pub(super) id: i64,
    pub(super) customer_id: i64,
    pub(super) message: String,
    pub(super) timestamp: String,
}

#[derive(QueryableByName)]
struct Fields {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    other: Option<i64>,
    #[diesel(sql_type = Nullable<Binary>)]
    a: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    b: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    c: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    d: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    e: Option<Vec<u8>>,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    value: String,
}

impl PocFile {
    /// Opens the file; anything but a database of the old system is refused.
    pub(crate) fn open(file: &Path) -> Result<Self, Failure> {
        let name = file.display().to_string();
        if let Err(error) = std::fs::File::open(file) {
            return Err(Failure::io(&name, &error));
        }
        let failed = |error: String| Failure::Own("not_poc", vec![("file", name.clone()), ("error", error)]);
        let (connection, tables) = connect(&read_only(file))
            // A file with a write-ahead log in a folder that cannot be written opens only so.
            .or_else(|_| connect(&format!("{}&immutable=1", read_only(file))))
            .map_err(failed)?;
        let missing = ["companies", "customers", "activities"]
            .into_iter()
            .find(|table| !tables.contains(*table));
        if let Some(table) = missing {
            let error = format!("no table {table}");
            return Err(Failure::Own("not_poc", vec![("file", name), ("error", error)]));
        }
        if tables.contains("receipts") {
            return Err(Failure::Own("own_database", vec![("file", name)]));
        }
        Ok(Self { connection, name })
    }

    /// How many rows there are.
    pub(super) fn count(&mut self) -> Result<u64, Failure> {
        let query = "SELECT (SELECT count(*) FROM companies) + (SELECT count(*) FROM customers) \
                     + (SELECT count(*) FROM activities) AS value";
        let rows: Vec<Number> = sql_query(query)
            .load(&mut self.connection)
            .map_err(|error| self.failed(&error))?;
        Ok(rows
            .first()
            .map_or(0, |row| u64::try_from(row.value).unwrap_or(0)))
    }

    pub(super) fn companies(&mut self, after: i64) -> Result<Vec<PocCompany>, Failure> {
        let rows = self.chunk(
            "companies",
            "NULL",
            ["name", "address", "phone", "website", ""],
            after,
        )?;
        let company = |row: Fields| PocCompany {
            id: row.id,
            name: text(row.a),
            address: text(row.b),
            phone: text(row.c),
            website: text(row.d),
        };
        Ok(rows.into_iter().map(company).collect())
    }

    pub(super) fn customers(&mut self, after: i64) -> Result<Vec<PocCustomer>, Failure> {
        let columns = ["first_name", "last_name", "email", "phone", "line_user_id"];
        let rows = self.chunk("customers", "company_id", columns, after)?;
        let customer = |row: Fields| PocCustomer {
            id: row.id,
            first_name: text(row.a),
            last_name: text(row.b),
            email: text(row.c),
            phone: text(row.d),
            line_user_id: text(row.e),
            company_id: row.other,
        };
        Ok(rows.into_iter().map(customer).collect())
    }

    pub(super) fn activities(&mut self, after: i64) -> Result<Vec<PocActivity>, Failure> {
        let rows = self.chunk(
            "activities",
            "customer_id",
            ["message", "timestamp", "", "", ""],
            after,
        )?;
        let activity = |row: Fields| PocActivity {
            id: row.id,
            customer_id: row.other.unwrap_or(0),
            message: text(row.a),
            timestamp: text(row.b),
        };
        Ok(rows.into_iter().map(activity).collect())
    }

    /// Customers of whom there are messages, but no row.
    pub(super) fn missing_customers(&mut self) -> Result<Vec<i64>, Failure> {
        let query = "SELECT DISTINCT coalesce(CAST(customer_id AS INTEGER), 0) AS value FROM activities \
                     WHERE coalesce(CAST(customer_id AS INTEGER), 0) NOT IN (SELECT id FROM customers) ORDER BY value";
        let rows: Vec<Number> = sql_query(query)
            .load(&mut self.connection)
            .map_err(|error| self.failed(&error))?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }

    /// The next rows by id. Columns that an older version of the old system had not count as empty; every value is read
    /// as bytes, since a column may hold any kind of value.
    fn chunk(
        &mut self,
        table: &str,
        other: &str,
        columns: [&str; 5],
        after: i64,
    ) -> Result<Vec<Fields>, Failure> {
        let query = format!("SELECT name AS value FROM pragma_table_info('{table}')");
        let known = names(&mut self.connection, &query).map_err(|error| self.failed(&error))?;
        let number = if known.contains(other) {
            format!("CAST(nullif({other}, '') AS INTEGER)")
        } else {
            "NULL".to_owned()
        };
        let values: Vec<String> = columns
            .iter()
            .zip(["a", "b", "c", "d", "e"])
            .map(|(column, name)| {
                let value = if known.contains(*column) { column } else { "NULL" };
                format!("CAST({value} AS BLOB) AS {name}")
            })
            .collect();
        let query = format!(
            "SELECT id, {number} AS other, {} FROM {table} WHERE id > ? ORDER BY id LIMIT ?",
            values.join(", ")
        );
        sql_query(query)
            .bind::<BigInt, _>(after)
            .bind::<BigInt, _>(CHUNK)
            .load(&mut self.connection)
            .map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &diesel::result::Error) -> Failure {
        Failure::Own(
            "not_poc",
            vec![("file", self.name.clone()), ("error", error.to_string())],
        )
    }
}

/// Opens the file and names its tables. The old system may be writing at this moment: it is waited for.
fn connect(uri: &str) -> Result<(SqliteConnection, BTreeSet<String>), String> {
    let mut connection = SqliteConnection::establish(uri).map_err(|error| error.to_string())?;
    let query = "SELECT name AS value FROM sqlite_master WHERE type = 'table'";
    let tables = connection
        .batch_execute("PRAGMA busy_timeout = 5000")
        .and_then(|()| names(&mut connection, query))
        .map_err(|error| error.to_string())?;
    Ok((connection, tables))
}

fn names(connection: &mut SqliteConnection, query: &str) -> QueryResult<BTreeSet<String>> {
    let rows: Vec<Name> = sql_query(query).load(connection)?;
    Ok(rows.into_iter().map(|row| row.value).collect())
}

fn text(bytes: Option<Vec<u8>>) -> String {
    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
}

/// A URI with the file's path, opened so that nothing can be written.
fn read_only(file: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let encoded = |byte: &u8| match *byte {
        byte if plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    let path: String = file.as_os_str().as_encoded_bytes().iter().map(encoded).collect();
    format!("file:{path}?mode=ro")
}
