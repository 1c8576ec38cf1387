//! Copies of a database that nobody works on: looked through before they are trusted, and freed of what cannot be opened any
//! more. They may be of any version, so everything is asked for in words that every version understands.

use std::collections::BTreeMap;
use std::path::Path;

use crm_diesel::sqlite::Conn;
use crm_domain::data_keys::SEALED_COLUMNS;
use crm_domain::ports::store::StoreError;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Text};

use crate::connection::Opener;
use crate::migrations;

/// What a look through a copy found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inspection {
    /// What is wrong, in words; empty if it is sound.
    pub faults: Vec<String>,
    /// The newest migration that it has.
    pub schema: String,
    /// Migrations that this program does not know: it was written by a later one.
    pub unknown: Vec<String>,
    /// Whether it says that this program may work on it all the same: nothing was taken away that it needs.
    pub admitted: bool,
    /// Rows by table.
    pub counts: BTreeMap<String, u64>,
    /// The end of the audit chain: position and seal.
    pub audit_head: Option<(i64, Vec<u8>)>,
    /// The fingerprint of the secret key.
    pub key_fingerprint: Option<Vec<u8>>,
    /// The hashes of the files that rows name, in order.
    pub files: Vec<String>,
}

/// What went with the keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unsealed {
    /// The addresses of the members whose second factor is gone.
    pub factors: Vec<String>,
    /// The fields of the connection to LINE WORKS that are gone.
    pub connection: Vec<String>,
}

/// Looks a copy through, all of it if `deeply`; otherwise only what it says of itself.
pub fn inspect(file: &Path, deeply: bool) -> Result<Inspection, StoreError> {
    let mut conn = open(file)?;
    look(&mut conn, deeply).map_err(StoreError::unavailable)
}

fn open(file: &Path) -> Result<Conn, StoreError> {
    Ok(Opener::new(file.to_owned(), false, None)?.plain()?)
}

fn look(conn: &mut Conn, deeply: bool) -> QueryResult<Inspection> {
    let faults = if deeply { faults(conn)? } else { Vec::new() };
    if faults.iter().any(|fault| !fault.starts_with(REFERENCE)) {
        // Whatever else it says may be nonsense.
        return Ok(Inspection {
            faults,
            ..Inspection::default()
        });
    }
    let tables = tables(conn)?;
    let has = |name: &str| tables.iter().any(|table| table == name);
    let mut found = Inspection {
        faults,
        ..Inspection::default()
    };
    for table in &tables {
        let count: i64 = sql::<BigInt>(&format!("SELECT count(*) FROM \"{table}\"")).get_result(conn)?;
        found.counts.insert(table.clone(), count.unsigned_abs());
    }
    if has(MIGRATIONS) {
        let mut versions: Vec<String> =
            sql::<Text>(&format!("SELECT version FROM {MIGRATIONS}")).load(conn)?;
        versions.sort();
        found.schema = versions.last().cloned().unwrap_or_default();
        found.unknown = migrations::plan().map_or_else(|_| versions.clone(), |plan| plan.unknown(&versions));
    }
    if has("schema_version") {
        let oldest: Option<i64> = sql::<BigInt>("SELECT oldest_binary FROM schema_version")
            .get_result(conn)
            .optional()?;
        let newest = migrations::plan().map_or(0, |plan| plan.newest());
        found.admitted = oldest.is_some_and(|oldest| newest >= oldest);
    }
    if found.schema.is_empty() {
        found.faults.push("it is no database of this product".to_owned());
    }
    if has("audit_seals") {
        let last =
            "SELECT position, mac FROM audit_seals WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1";
        found.audit_head = sql::<(BigInt, Binary)>(last).get_result(conn).optional()?;
    }
    if has("key_fingerprint") {
        let noted = sql::<Binary>("SELECT fingerprint FROM key_fingerprint");
        found.key_fingerprint = noted.get_result(conn).optional()?;
    }
    if has("attachments") {
        let named = "SELECT DISTINCT sha256 FROM attachments WHERE sha256 IS NOT NULL ORDER BY sha256";
        found.files = sql::<Text>(named).load(conn)?;
    }
    Ok(found)
}

const MIGRATIONS: &str = "__diesel_schema_migrations";
/// How the fault of a reference begins.
const REFERENCE: &str = "a row of table";

fn faults(conn: &mut Conn) -> QueryResult<Vec<String>> {
    let said: Vec<String> = match sql::<Text>("PRAGMA integrity_check(5)").load(conn) {
        Ok(said) => said,
        // A file that is none answers so.
        Err(error) => return Ok(vec![error.to_string()]),
    };
    let mut faults: Vec<String> = said.into_iter().filter(|line| line != "ok").collect();
    if faults.is_empty() {
        let dangling = "SELECT DISTINCT \"table\" FROM pragma_foreign_key_check";
        let dangling: Vec<String> = sql::<Text>(dangling).load(conn)?;
        let told = dangling
            .iter()
            .map(|table| format!("{REFERENCE} {table} refers to a row that is not there"));
        faults.extend(told);
    }
    Ok(faults)
}

/// Its tables but those of SQLite itself.
fn tables(conn: &mut Conn) -> QueryResult<Vec<String>> {
    let all = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
               AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    sql::<Text>(all).load(conn)
}

/// Takes everything out of a copy that only the lost secret key opens, with the data keys and the key's fingerprint; says
/// what that was. Entries of the audit log wait for new seals. The copy has this program's version.
pub fn drop_sealed(file: &Path) -> Result<Unsealed, StoreError> {
    let mut conn = open(file)?;
    conn.immediate_transaction(|conn| {
        let factors =
            "SELECT m.email FROM member_factors f JOIN members m ON m.id = f.member_id ORDER BY m.id";
        let gone = Unsealed {
            factors: sql::<Text>(factors).load(conn)?,
            connection: sql::<Text>("SELECT field FROM connection_values ORDER BY field").load(conn)?,
        };
        for column in SEALED_COLUMNS {
            let (table, column) = (column.table, column.column);
            diesel::sql_query(format!("DELETE FROM {table} WHERE {column} IS NOT NULL")).execute(conn)?;
        }
        for step in [
            "DELETE FROM data_keys",
            "DELETE FROM key_fingerprint",
            "DELETE FROM audit_seals WHERE audit_id NOT IN (SELECT id FROM audit)",
            "UPDATE audit_seals SET position = NULL, mac = NULL",
        ] {
            diesel::sql_query(step).execute(conn)?;
        }
        QueryResult::Ok(gone)
    })
    .map_err(StoreError::unavailable)
}

/// Lets files be fetched again that rows of a copy name and that are not to be had any more. The copy has this program's
/// version.
pub fn forget_files(file: &Path, hashes: &[String]) -> Result<(), StoreError> {
    let mut conn = open(file)?;
    let forget =
        "UPDATE attachments SET state = 'pending', reason = NULL, sha256 = NULL, size = NULL, tries = 0,
        next_try_at = added_at WHERE sha256 = ?";
    conn.immediate_transaction(|conn| {
        for hash in hashes {
            diesel::sql_query(forget).bind::<Text, _>(hash).execute(conn)?;
        }
        QueryResult::Ok(())
    })
    .map_err(StoreError::unavailable)
}

/// Makes a copy one file again, with nothing beside it.
pub fn settle(file: &Path) -> Result<(), StoreError> {
    let mut conn = open(file)?;
    let mode = sql::<Text>("PRAGMA journal_mode = DELETE").get_result::<String>(&mut conn);
    mode.map(drop).map_err(StoreError::unavailable)
}
