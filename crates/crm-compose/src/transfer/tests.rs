//! The rows of every table from one kind of database into the other and back.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use crm_domain::ports::bulk::{BulkError, BulkSource, BulkStore, BulkTarget, Key, TableShape, Take};
use crm_postgres::{PostgresOptions, PostgresStore};
use crm_sqlite::{SqliteOptions, SqliteStore};
use crm_testkit::bulk::{everything, fill};
use crm_testkit::postgres::TestDatabase;

use super::{LoadedTable, TableProof, Teller, load, prove};

fn quiet() -> Teller {
    Arc::new(|_| ())
}

fn file(path: &Path) -> SqliteStore {
    let options = SqliteOptions {
        path: path.to_owned(),
        readers: 2,
        create: true,
    };
    SqliteStore::open_for_copy(options, None).unwrap()
}

/// A file with so many rows in every table.
fn filled(path: &Path, rows: i64) -> SqliteStore {
    let store = file(path);
    let mut target = store.bulk_target().unwrap();
    let tables = target.begin("a test").unwrap();
    fill(target.as_mut(), &tables, rows).unwrap();
    target.complete(&mut |_| ()).unwrap();
    target.release().unwrap();
    store
}

fn options(url: &str) -> PostgresOptions {
    PostgresOptions {
        url: url.to_owned(),
        replica: None,
        connections: 2,
        application: "crm".to_owned(),
    }
}

fn server(url: &str) -> PostgresStore {
    PostgresStore::open_for_copy(options(url)).unwrap()
}

/// What source and target say of each table that was loaded.
fn proofs(
    source: &mut dyn BulkSource,
    target: &mut dyn BulkTarget,
    loaded: &[LoadedTable],
) -> Vec<TableProof> {
    prove(source, target.written().unwrap().as_mut(), loaded, &quiet()).unwrap()
}

/// Loads, proves, and releases what is equal.
fn moved(from: &dyn BulkStore, to: &dyn BulkStore) -> Vec<LoadedTable> {
    let mut source = from.bulk_source().unwrap();
    let mut target = to.bulk_target().unwrap();
    let loaded = load(source.as_mut(), target.as_mut(), "a test", &quiet()).unwrap();
    let proofs = proofs(source.as_mut(), target.as_mut(), &loaded);
    assert_eq!(proofs.len(), loaded.len());
    for proof in proofs {
        assert!(proof.is_equal() && proof.target.rows > 0, "{proof:?}");
    }
    target.release().unwrap();
    loaded
}

fn all(store: &dyn BulkStore, tables: &[LoadedTable]) -> BTreeMap<String, Vec<u8>> {
    let shapes: Vec<TableShape> = tables.iter().map(|table| table.shape.clone()).collect();
    everything(store.bulk_source().unwrap().as_mut(), &shapes).unwrap()
}

#[test]
fn every_table_comes_back_over_the_other_kind_of_database() {
    let folder = tempfile::tempdir().unwrap();
    let first = filled(&folder.path().join("a.db"), 40);
    let last = file(&folder.path().join("b.db"));
    let between = TestDatabase::empty();
    let between_store = server(&between.url);
    let loaded = moved(&first, &between_store);
    moved(&between_store, &last);
    assert_eq!(all(&first, &loaded), all(&last, &loaded));
    assert_eq!(all(&first, &loaded), all(&between_store, &loaded));

    // The next row of every table gets a number that nobody had.
    between.sql("INSERT INTO companies (name) VALUES ('next')");
    assert_eq!(between.sql("SELECT max(id) FROM companies").trim(), "41");
    let plain = TestDatabase::new();
    let schema = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL
        SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid <> 0
        UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1";
    assert_eq!(between.sql(schema), plain.sql(schema));
}

#[test]
fn one_changed_value_is_found_and_its_table_named() {
    let folder = tempfile::tempdir().unwrap();
    let first = filled(&folder.path().join("a.db"), 5);
    let between = TestDatabase::empty();
    let store = server(&between.url);
    let mut source = first.bulk_source().unwrap();
    let mut target = store.bulk_target().unwrap();
    let loaded = load(source.as_mut(), target.as_mut(), "a test", &quiet()).unwrap();
    for (change, table) in [
        ("UPDATE notes SET text = text || ' ' WHERE id = 3", "notes"),
        (
            "UPDATE customers SET deleted_at = deleted_at + interval '1 millisecond' WHERE id = 5",
            "customers",
        ),
        ("UPDATE reads SET received = received + 1 WHERE id = 1", "reads"),
        ("DELETE FROM house_runs WHERE id = 4", "house_runs"),
        (
            "UPDATE drafts SET text = 'x' WHERE id = 2; UPDATE drafts SET text = 'x' WHERE id = 2",
            "drafts",
        ),
    ] {
        between.sql(change);
        let proofs = proofs(source.as_mut(), target.as_mut(), &loaded);
        let odd: Vec<&str> = proofs
            .iter()
            .filter(|proof| !proof.is_equal())
            .map(|proof| proof.table.as_str())
            .collect();
        assert!(odd.contains(&table), "{table}: {odd:?}");
    }
}

/// How many batches may pass before it breaks off.
struct Shared(AtomicUsize);

/// Breaks off after some batches.
struct Breaking<'a>(Box<dyn BulkSource>, &'a Shared);

impl BulkSource for Breaking<'_> {
    fn tables(&mut self) -> Result<Vec<TableShape>, BulkError> {
        self.0.tables()
    }

    fn count(&mut self, table: &TableShape) -> Result<u64, BulkError> {
        self.0.count(table)
    }

    fn counter(&mut self, table: &TableShape) -> Result<Option<i64>, BulkError> {
        self.0.counter(table)
    }

    fn rows(&mut self, table: &TableShape, after: Option<&Key>, take: Take<'_>) -> Result<(), BulkError> {
        let left = &self.1.0;
        self.0.rows(table, after, &mut |batch| {
            take(batch)?;
            let before = left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
            before
                .map(drop)
                .map_err(|_| BulkError::Stopped("enough".to_owned()))
        })
    }
}

#[test]
fn a_copy_that_broke_off_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let first = filled(&folder.path().join("a.db"), 12);
    let between = TestDatabase::empty();
    let mut runs = 0;
    loop {
        let store = server(&between.url);
        let left = Shared(7.into());
        let mut source = Breaking(first.bulk_source().unwrap(), &left);
        let mut target = store.bulk_target().unwrap();
        runs += 1;
        match load(&mut source, target.as_mut(), "a test", &quiet()) {
            Ok(loaded) => {
                let mut source = first.bulk_source().unwrap();
                let proofs = proofs(source.as_mut(), target.as_mut(), &loaded);
                assert!(proofs.iter().all(TableProof::is_equal), "{proofs:?}");
                break;
            }
            Err(error) => assert_eq!(error.to_string(), "enough"),
        }
        let refused = PostgresStore::open(options(&between.url)).err().unwrap();
        assert!(format!("{refused:?}").contains("Unfinished"), "{refused:?}");
    }
    assert!(runs > 3, "{runs}");
}
