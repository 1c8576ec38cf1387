//! Filling an empty file. Indexes and triggers are put aside while rows come and made anew at the end; what was put aside
//! and how far each table got stands in the file, in the same transactions as the rows.

use crm_domain::ports::bulk::{
    Batch, BulkError, BulkSource, BulkTarget, Finishing, Key, Reached, TableShape,
};
use crm_domain::ports::store::StoreError;
use rusqlite::{Connection, OptionalExtension};

use super::source::{Source, bound};
use super::{catalogue, failed, quoted, unfinished};
use crate::connection::Opener;
use crate::error::SqliteError;
use crate::migrations;

/// The mark: while this table is there, the file is no store.
const MARK: &str = "CREATE TABLE unfinished_copy (
    kind TEXT NOT NULL, name TEXT NOT NULL, sql TEXT, rows INTEGER NOT NULL DEFAULT 0, last BLOB,
    PRIMARY KEY (kind, name))";

/// A connection that checks nothing until the end.
pub(super) struct Target {
    opener: Opener,
    conn: Connection,
}

impl Target {
    pub(super) fn open(opener: &Opener) -> Result<Self, BulkError> {
        let conn = opener.dynamic().map_err(StoreError::from)?;
        let limit = opener.page_limit();
        conn.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = OFF;
             PRAGMA cache_size = -64000; PRAGMA wal_autocheckpoint = 8000; {limit}"
        ))
        .map_err(|error| failed(&error))?;
        Ok(Self {
            opener: opener.clone(),
            conn,
        })
    }

    /// Marks a file without rows. All or nothing.
    fn mark(&self, origin: &str, fresh: bool) -> Result<(), BulkError> {
        let tables = catalogue::tables(&self.conn)?;
        for table in &tables {
            let name = quoted(&table.name);
            let any = self
                .conn
                .query_row(&format!("SELECT 1 FROM {name} LIMIT 1"), [], |_| Ok(()))
                .optional();
            if any.map_err(|error| failed(&error))?.is_some() && !fresh {
                return Err(BulkError::NotEmpty(table.name.clone()));
            }
        }
        self.whole(|conn| {
            conn.execute_batch(MARK)?;
            conn.execute(
                "INSERT INTO unfinished_copy (kind, name) VALUES ('origin', ?1)",
                [origin],
            )?;
            for table in &tables {
                conn.execute(&format!("DELETE FROM {}", quoted(&table.name)), [])?;
                conn.execute(
                    "INSERT INTO unfinished_copy (kind, name, sql)
                     SELECT type, name, sql FROM sqlite_master
                     WHERE tbl_name = ?1 AND type IN ('index', 'trigger') AND sql IS NOT NULL",
                    [&table.name],
                )?;
            }
            aside(conn)?
                .iter()
                .try_for_each(|(kind, name, _)| conn.execute_batch(&format!("DROP {kind} {}", quoted(name))))
        })
    }

    /// All or nothing.
    fn whole<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, BulkError> {
        let run = || -> rusqlite::Result<T> {
            self.conn.execute_batch("BEGIN IMMEDIATE")?;
            let done = work(&self.conn)?;
            self.conn.execute_batch("COMMIT")?;
            Ok(done)
        };
        run().map_err(|error| {
            if !self.conn.is_autocommit() {
                drop(self.conn.execute_batch("ROLLBACK"));
            }
            failed(&error)
        })
    }

    fn check(&self) -> Result<(), BulkError> {
        let dangling = self
            .conn
            .query_row(
                "SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1",
                [],
                |row| row.get(0),
            )
            .optional();
        if let Some(table) = dangling.map_err(|error| failed(&error))? {
            return Err(BulkError::Dangling(table));
        }
        let found: String = self
            .conn
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(|error| failed(&error))?;
        if found != "ok" {
            return Err(StoreError::from(SqliteError::Lost(found)).into());
        }
        // Everything into the file itself and onto the disk.
        self.conn
            .execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)")
            .map_err(|error| failed(&error))
    }
}

impl BulkTarget for Target {
    fn begin(&mut self, origin: &str) -> Result<Vec<TableShape>, BulkError> {
        if unfinished(&self.conn).map_err(|error| failed(&error))? {
            let sql = "SELECT name FROM unfinished_copy WHERE kind = 'origin'";
            let other: String = self
                .conn
                .query_row(sql, [], |row| row.get(0))
                .map_err(|error| failed(&error))?;
            if other != origin {
                return Err(BulkError::OtherCopy(other));
            }
        } else {
            let made = migrations::migrate(&self.opener)?;
            let fresh = made.len() == migrations::wanted(&self.opener)?;
            self.mark(origin, fresh)?;
        }
        catalogue::tables(&self.conn)
    }

    fn reached(&mut self, table: &TableShape) -> Result<Reached, BulkError> {
        let sql = "SELECT rows, last FROM unfinished_copy WHERE kind = 'table' AND name = ?1";
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Reached {
                rows: row.get::<_, i64>(0)?.unsigned_abs(),
                last: row.get::<_, Option<Vec<u8>>>(1)?.map(Key),
            })
        };
        let reached = self.conn.query_row(sql, [&table.name], read).optional();
        Ok(reached.map_err(|error| failed(&error))?.unwrap_or_default())
    }

    fn write(&mut self, table: &TableShape, batch: &Batch) -> Result<(), BulkError> {
        let last = batch.last_key(table)?.map(|key| key.0);
        let rows = i64::try_from(batch.len()).unwrap_or(i64::MAX);
        let mut broken = false;
        self.whole(|conn| {
            broken = !insert(conn, table, batch)?;
            conn.prepare(
                "INSERT INTO unfinished_copy (kind, name, rows, last) VALUES ('table', ?1, ?2, ?3)
                 ON CONFLICT (kind, name) DO UPDATE SET rows = rows + excluded.rows, last = excluded.last",
            )?
            .execute((&table.name, rows, last))?;
            if broken {
                Err(rusqlite::Error::QueryReturnedNoRows)
            } else {
                Ok(())
            }
        })
        .map_err(|error| {
            if broken {
                BulkError::Broken(table.name.clone())
            } else {
                error
            }
        })
    }

    fn count_on(&mut self, table: &TableShape, counter: i64) -> Result<(), BulkError> {
        self.whole(|conn| {
            // Only a table that counts stands there, or will once it has a row.
            let counts: bool = conn.query_row(
                "SELECT sql LIKE '%AUTOINCREMENT%' FROM sqlite_master WHERE type = 'table' AND name = ?1",
                [&table.name],
                |row| row.get(0),
            )?;
            if counts {
                conn.execute(
                    "INSERT INTO sqlite_sequence (name, seq) SELECT ?1, 0
                     WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)",
                    [&table.name],
                )?;
                conn.execute(
                    "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1",
                    (&table.name, counter),
                )?;
            }
            Ok(())
        })
    }

    fn complete(&mut self, told: &mut dyn FnMut(Finishing<'_>)) -> Result<(), BulkError> {
        let aside = aside(&self.conn).map_err(|error| failed(&error))?;
        self.conn
            .execute_batch("PRAGMA cache_size = -256000; PRAGMA threads = 2")
            .map_err(|error| failed(&error))?;
        for (kind, name, sql) in aside {
            told(Finishing::Index(&name));
            self.whole(|conn| {
                conn.execute_batch(&sql)?;
                conn.execute(
                    "DELETE FROM unfinished_copy WHERE kind = ?1 AND name = ?2",
                    [&kind, &name],
                )
            })?;
        }
        told(Finishing::Check);
        self.check()
    }

    fn noted(&mut self) -> Result<Option<String>, BulkError> {
        let sql = "SELECT name FROM unfinished_copy WHERE kind = 'note'";
        let noted = self.conn.query_row(sql, [], |row| row.get(0)).optional();
        noted.map_err(|error| failed(&error))
    }

    fn note(&mut self, word: &str) -> Result<(), BulkError> {
        self.whole(|conn| {
            conn.execute("DELETE FROM unfinished_copy WHERE kind = 'note'", [])?;
            conn.execute(
                "INSERT INTO unfinished_copy (kind, name) VALUES ('note', ?1)",
                [word],
            )
        })
        .map(drop)
    }

    fn written(&mut self) -> Result<Box<dyn BulkSource>, BulkError> {
        Ok(Box::new(Source::begin(&self.opener)?))
    }

    fn release(&mut self) -> Result<(), BulkError> {
        self.conn
            .execute_batch("PRAGMA synchronous = FULL")
            .map_err(|error| failed(&error))?;
        self.whole(|conn| conn.execute_batch("DROP TABLE unfinished_copy"))
    }
}

/// Kind, name and statement of what was put aside.
fn aside(conn: &Connection) -> rusqlite::Result<Vec<(String, String, String)>> {
    let mut statement = conn.prepare(
        "SELECT kind, name, sql FROM unfinished_copy WHERE kind IN ('index', 'trigger') ORDER BY kind, name",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

/// `false` if the batch holds nonsense.
fn insert(conn: &Connection, table: &TableShape, batch: &Batch) -> rusqlite::Result<bool> {
    let columns: Vec<String> = table.columns.iter().map(|(name, _)| quoted(name)).collect();
    let places = vec!["?"; columns.len()].join(", ");
    let name = quoted(&table.name);
    let mut statement = conn.prepare(&format!(
        "INSERT INTO {name} ({}) VALUES ({places})",
        columns.join(", ")
    ))?;
    let mut rows = batch.rows(columns.len());
    let mut cells = Vec::with_capacity(columns.len());
    while let Ok(more) = rows.next_into(&mut cells) {
        if !more {
            return Ok(true);
        }
        for (place, cell) in cells.iter().enumerate() {
            statement.raw_bind_parameter(place + 1, bound(*cell))?;
        }
        statement.raw_execute()?;
    }
    Ok(false)
}
