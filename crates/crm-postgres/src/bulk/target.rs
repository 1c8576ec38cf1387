//! Filling an empty database. Indexes, references and triggers are put aside while rows come and made anew at the end; what
//! was put aside and how far each table got stands in a table, in the same transactions as the rows.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;

use crm_domain::ports::bulk::{
    Batch, BulkError, BulkSource, BulkTarget, Finishing, Key, Reached, TableShape,
};
use futures_util::SinkExt;
use tokio_postgres::error::SqlState;

use super::encode::Encoder;
use super::session::{Session, failed};
use super::source::Source;
use super::{IS_UNFINISHED, catalogue, literal, quoted};
use crate::desk::Desk;
use crate::error::PostgresError;
use crate::migrations;

/// A commit is on the disk a moment later, but never without those before it.
const SET_UP: &str = "SET synchronous_commit = off; SET maintenance_work_mem = '256MB'";
/// The mark: while this table is there, the database is no store.
const MARK: &str = "CREATE TABLE unfinished_copy (
    kind TEXT NOT NULL, name TEXT NOT NULL, on_table TEXT, sql TEXT, rows BIGINT NOT NULL DEFAULT 0, last BYTEA,
    PRIMARY KEY (kind, name))";
/// What stands in the way of loading fast: indexes that are no keys, references, triggers. `name` is unique in each kind.
const ASIDE: &str = "
    INSERT INTO unfinished_copy (kind, name, on_table, sql)
    SELECT 'a_index', i.relname, t.relname, pg_get_indexdef(i.oid)
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    WHERE t.relnamespace = current_schema()::regnamespace
        AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.oid AND c.contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT 'b_reference', c.conname || ' ' || t.relname, t.relname,
        format('ALTER TABLE %I ADD CONSTRAINT %I %s', t.relname, c.conname, pg_get_constraintdef(c.oid))
    FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
    WHERE c.contype = 'f' AND t.relnamespace = current_schema()::regnamespace
    UNION ALL
    SELECT 'c_trigger', g.tgname || ' ' || t.relname, t.relname, pg_get_triggerdef(g.oid)
    FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
    WHERE NOT g.tgisinternal AND t.relnamespace = current_schema()::regnamespace";
const DROPS: &str = "
    SELECT CASE kind
        WHEN 'a_index' THEN format('DROP INDEX %I', name)
        WHEN 'b_reference' THEN format('ALTER TABLE %I DROP CONSTRAINT %I', on_table, split_part(name, ' ', 1))
        ELSE format('DROP TRIGGER %I ON %I', split_part(name, ' ', 1), on_table) END
    FROM unfinished_copy WHERE kind IN ('a_index', 'b_reference', 'c_trigger') ORDER BY kind DESC";

/// A connection that checks nothing until the end.
pub(super) struct Target {
    desk: Arc<Desk>,
    session: Session,
    encoders: HashMap<String, Encoder>,
}

impl Target {
    pub(super) fn open(desk: Arc<Desk>) -> Result<Self, BulkError> {
        let session = Session::open(&desk)?;
        session.run(SET_UP)?;
        Ok(Self {
            desk,
            session,
            encoders: HashMap::new(),
        })
    }

    fn migrate(&self) -> Result<usize, BulkError> {
        let desk = Arc::clone(&self.desk);
        self.session.beside(async move {
            let mut line = desk.pool().opener().line().await?;
            let made = tokio::task::spawn_blocking(move || migrations::migrate(&mut line.conn)).await;
            Ok(made.unwrap_or(Err(PostgresError::Panicked.into()))?.len())
        })
    }

    /// Marks a database without rows. All or nothing.
    fn mark(&self, origin: &str, fresh: bool) -> Result<(), BulkError> {
        let tables = catalogue::tables(&self.session)?;
        if !fresh {
            for table in &tables {
                let sql = format!("SELECT 1 FROM {} LIMIT 1", quoted(&table.name));
                if self.session.value::<i32>(&sql, &[])?.is_some() {
                    return Err(BulkError::NotEmpty(table.name.clone()));
                }
            }
        }
        let names: Vec<String> = tables.iter().map(|table| quoted(&table.name)).collect();
        let emptied: Vec<String> = names.iter().map(|name| format!("DELETE FROM {name};")).collect();
        let emptied = emptied.concat();
        let origin = literal(origin);
        let mark =
            format!("{MARK}; INSERT INTO unfinished_copy (kind, name) VALUES ('origin', {origin}); {ASIDE}");
        self.whole(&mark, |session| {
            let drops = session.rows(DROPS, &[])?;
            let drops: Vec<String> = drops.iter().map(|row| row.get(0)).collect();
            session.run(&drops.join(";"))?;
            session.run(&emptied)
        })
    }

    /// All or nothing: these statements, then the rest.
    fn whole<T>(
        &self,
        first: &str,
        rest: impl FnOnce(&Session) -> Result<T, BulkError>,
    ) -> Result<T, BulkError> {
        let run = || {
            self.session.run(&format!("BEGIN; {first}"))?;
            let done = rest(&self.session)?;
            self.session.run("COMMIT")?;
            Ok(done)
        };
        let done = run();
        if done.is_err() {
            drop(self.session.run("ROLLBACK"));
        }
        done
    }

    fn encoder(&mut self, table: &TableShape) -> Result<&Encoder, BulkError> {
        if !self.encoders.contains_key(&table.name) {
            let widths = catalogue::widths(&self.session, &table.name)?;
            let width = |name: &str| {
                widths
                    .iter()
                    .find(|(known, _)| known == name)
                    .map(|(_, width)| *width)
            };
            let widths: Option<Vec<u8>> = table.columns.iter().map(|(name, _)| width(name)).collect();
            let widths = widths.ok_or_else(|| BulkError::OtherShape(table.name.clone()))?;
            self.encoders.insert(table.name.clone(), Encoder::new(widths));
        }
        self.encoders
            .get(&table.name)
            .ok_or_else(|| BulkError::OtherShape(table.name.clone()))
    }

    fn make(&self, kind: &str, name: &str, table: &str, sql: &str) -> Result<(), BulkError> {
        let forget = format!(
            "DELETE FROM unfinished_copy WHERE kind = {} AND name = {}",
            literal(kind),
            literal(name)
        );
        let done = self.session.wait(async |client| {
            let all = format!("BEGIN; {sql}; {forget}; COMMIT");
            client.batch_execute(&all).await.map_err(|error| {
                if error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) {
                    BulkError::Dangling(table.to_owned())
                } else {
                    failed(&error)
                }
            })
        });
        if done.is_err() {
            drop(self.session.run("ROLLBACK"));
        }
        done
    }

    /// Sets the counter to the highest of these: what it is, what is there, what was given out elsewhere.
    fn raise(&self, table: &TableShape, counter: i64) -> Result<(), BulkError> {
        let Some(column) = catalogue::numbered(&self.session, &table.name)? else {
            return Ok(());
        };
        let (name, quoted_column) = (quoted(&table.name), quoted(&column));
        let sequence = format!(
            "pg_get_serial_sequence({}, {})::regclass",
            literal(&name),
            literal(&column)
        );
        let highest = format!(
            "SELECT greatest(pg_sequence_last_value({sequence}), (SELECT max({quoted_column}) FROM {name}), nullif($1::int8, 0))"
        );
        let highest: Option<i64> = self
            .session
            .value::<Option<i64>>(&highest, &[&counter])?
            .flatten();
        if let Some(highest) = highest.filter(|highest| *highest > 0) {
            self.session
                .rows(&format!("SELECT setval({sequence}, $1::int8)"), &[&highest])?;
        }
        Ok(())
    }
}

impl BulkTarget for Target {
    fn begin(&mut self, origin: &str) -> Result<Vec<TableShape>, BulkError> {
        let begun: Option<bool> = self.session.value(&format!("SELECT {IS_UNFINISHED}"), &[])?;
        if begun == Some(true) {
            let sql = "SELECT name FROM unfinished_copy WHERE kind = 'origin'";
            let other: String = self.session.value(sql, &[])?.unwrap_or_default();
            if other != origin {
                return Err(BulkError::OtherCopy(other));
            }
        } else {
            let made = self.migrate()?;
            let fresh = made == migrations::unapplied()?.len();
            self.mark(origin, fresh)?;
        }
        catalogue::tables(&self.session)
    }

    fn reached(&mut self, table: &TableShape) -> Result<Reached, BulkError> {
        let sql = "SELECT rows, last FROM unfinished_copy WHERE kind = 'table' AND name = $1::text";
        let rows = self.session.rows(sql, &[&table.name])?;
        Ok(rows.first().map_or_else(Reached::default, |row| Reached {
            rows: row.get::<_, i64>(0).unsigned_abs(),
            last: row.get::<_, Option<Vec<u8>>>(1).map(Key),
        }))
    }

    fn write(&mut self, table: &TableShape, batch: &Batch) -> Result<(), BulkError> {
        let last = batch.last_key(table)?.map(|key| key.0);
        let mut sent = Vec::with_capacity(batch.bytes().len() + (64 << 10));
        self.encoder(table)?.encode(table, batch, &mut sent)?;
        let columns: Vec<String> = table.columns.iter().map(|(name, _)| quoted(name)).collect();
        let copy = format!(
            "COPY {} ({}) FROM STDIN (FORMAT binary)",
            quoted(&table.name),
            columns.join(", ")
        );
        let rows = i64::try_from(batch.len()).unwrap_or(i64::MAX);
        self.whole("", |session| {
            session.wait(async |client| {
                let sink = client.copy_in(&copy).await.map_err(|error| failed(&error))?;
                let mut sink = pin!(sink);
                sink.send(bytes::Bytes::from(sent)).await.map_err(|error| failed(&error))?;
                sink.finish().await.map_err(|error| failed(&error))
            })?;
            session.rows(
                "INSERT INTO unfinished_copy (kind, name, rows, last) VALUES ('table', $1::text, $2::int8, $3::bytea)
                 ON CONFLICT (kind, name) DO UPDATE SET rows = unfinished_copy.rows + excluded.rows, last = excluded.last",
                &[&table.name, &rows, &last],
            )
        })
        .map(drop)
    }

    fn count_on(&mut self, table: &TableShape, counter: i64) -> Result<(), BulkError> {
        self.raise(table, counter)
    }

    fn complete(&mut self, told: &mut dyn FnMut(Finishing<'_>)) -> Result<(), BulkError> {
        let aside = self.session.rows(
            "SELECT kind, name, on_table, sql FROM unfinished_copy
             WHERE kind IN ('a_index', 'b_reference', 'c_trigger') ORDER BY kind, on_table, name",
            &[],
        )?;
        for row in aside {
            let (kind, name): (String, String) = (row.get(0), row.get(1));
            let (table, sql): (String, String) = (row.get(2), row.get(3));
            match kind.as_str() {
                "b_reference" => told(Finishing::References(&table)),
                _ => told(Finishing::Index(&name)),
            }
            self.make(&kind, &name, &table, &sql)?;
        }
        told(Finishing::Check);
        for table in catalogue::tables(&self.session)? {
            self.raise(&table, 0)?;
            // Without it the first queries would be planned for empty tables.
            self.session.run(&format!("ANALYZE {}", quoted(&table.name)))?;
        }
        // A commit that waits for the disk waits for those before it too.
        self.session
            .run("SET synchronous_commit = on; BEGIN; SELECT pg_current_xact_id(); COMMIT")
    }

    fn noted(&mut self) -> Result<Option<String>, BulkError> {
        self.session
            .value("SELECT name FROM unfinished_copy WHERE kind = 'note'", &[])
    }

    fn note(&mut self, word: &str) -> Result<(), BulkError> {
        let word = literal(word);
        self.whole(
            &format!(
                "DELETE FROM unfinished_copy WHERE kind = 'note';
                INSERT INTO unfinished_copy (kind, name) VALUES ('note', {word})"
            ),
            |_| Ok(()),
        )
    }

    fn written(&mut self) -> Result<Box<dyn BulkSource>, BulkError> {
        Ok(Box::new(Source::begin(&self.desk)?))
    }

    fn release(&mut self) -> Result<(), BulkError> {
        self.session
            .run("SET synchronous_commit = on; DROP TABLE unfinished_copy")
    }
}
