//! The whole file on the move.

use std::collections::BTreeSet;
use std::path::Path;

use crm_domain::ports::bulk::{
    Batch, BulkError, BulkStore as _, BulkTarget, Cell, Finishing, Key, LEFT_BEHIND, TableShape, is_moved,
};
use crm_domain::ports::store_admin::StoreAdmin as _;
use crm_sqlite::SqliteStore;
use crm_testkit::bulk::{batch, everything, fill};
use diesel::connection::SimpleConnection as _;
use tempfile::TempDir;

use crate::common::{add_company, new_folder, new_store, number, options, other_program, run, texts};

/// An empty store for a copy.
fn new_target() -> (TempDir, std::path::PathBuf, SqliteStore) {
    let (folder, path) = new_folder();
    let store = SqliteStore::open_for_copy(options(&path), None).unwrap();
    (folder, path, store)
}

fn complete(target: &mut dyn BulkTarget) -> Vec<String> {
    let mut told = Vec::new();
    target
        .complete(&mut |step: Finishing<'_>| told.push(step.to_string()))
        .unwrap();
    told
}

/// Indexes and triggers as they are written.
fn schema(path: &Path) -> Vec<String> {
    texts(
        path,
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name",
    )
}

fn named<'a>(tables: &'a [TableShape], name: &str) -> &'a TableShape {
    tables.iter().find(|table| table.name == name).unwrap()
}

#[test]
fn every_table_is_moved_or_left_behind_for_a_reason() {
    run(async {
        let (_folder, path, store) = new_store().await;
        let moved = store.bulk_source().unwrap().tables().unwrap();
        let moved: BTreeSet<String> = moved.into_iter().map(|table| table.name).collect();
        let all = texts(
            &path,
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
             AND name NOT GLOB 'sqlite_*'",
        );
        for table in all {
            assert!(
                moved.contains(&table) != LEFT_BEHIND.iter().any(|(name, _)| *name == table),
                "{table}"
            );
        }
        // What the migrations put into a new database would be lost under the rows that come.
        for table in moved {
            assert_eq!(
                number(&path, &format!("SELECT count(*) FROM \"{table}\"")),
                0,
                "{table}"
            );
        }
    });
}

#[test]
fn rows_of_every_table_come_back_and_the_schema_is_the_same() {
    run(async {
        let (_one, plain, _store) = new_store().await;
        let (_two, path, store) = new_target();
        let mut target = store.bulk_target().unwrap();
        let tables = target.begin("a test").unwrap();
        fill(target.as_mut(), &tables, 7).unwrap();
        target.count_on(named(&tables, "customers"), 99).unwrap();
        complete(target.as_mut());
        target.release().unwrap();
        assert_eq!(schema(&path), schema(&plain));

        // Once more, from this one.
        let (_three, other, copy) = new_target();
        let mut source = store.bulk_source().unwrap();
        let mut target = copy.bulk_target().unwrap();
        assert_eq!(target.begin("a test").unwrap(), source.tables().unwrap());
        for table in &tables {
            source
                .rows(table, None, &mut |batch| target.write(table, &batch))
                .unwrap();
        }
        assert_eq!(
            everything(target.written().unwrap().as_mut(), &tables).unwrap(),
            everything(source.as_mut(), &tables).unwrap()
        );
        assert_eq!(source.count(named(&tables, "activities")).unwrap(), 7);
        let counter = source.counter(named(&tables, "customers")).unwrap();
        assert_eq!(
            (counter, source.counter(named(&tables, "data_keys")).unwrap()),
            (Some(99), None)
        );
        target
            .count_on(named(&tables, "customers"), counter.unwrap())
            .unwrap();
        complete(target.as_mut());
        target.release().unwrap();
        assert_eq!(
            number(&other, "SELECT seq FROM sqlite_sequence WHERE name = 'customers'"),
            99
        );
        assert_eq!(texts(&other, "PRAGMA integrity_check"), ["ok"]);
    });
}

#[test]
fn reading_goes_on_after_a_place_and_names_the_columns_it_wants() {
    run(async {
        let (_folder, _path, store) = new_target();
        let mut target = store.bulk_target().unwrap();
        let tables = target.begin("a test").unwrap();
        fill(target.as_mut(), &tables, 5).unwrap();
        let mut source = target.written().unwrap();
        let pairs = named(&tables, "team_members").without(&["leader"]);
        let mut read = Batch::default();
        let after = Key::of(&[Cell::Int(3), Cell::Int(3)]);
        source
            .rows(&pairs, Some(&after), &mut |batch| {
                read = batch;
                Ok(())
            })
            .unwrap();
        assert_eq!(read, batch(&pairs, &[4, 5]));
        assert_eq!(target.reached(named(&tables, "members")).unwrap().rows, 5);
        let last = target.reached(named(&tables, "team_members")).unwrap().last;
        assert_eq!(last, Some(Key::of(&[Cell::Int(5), Cell::Int(5)])));
    });
}

#[test]
fn an_unfinished_copy_is_no_store_and_is_taken_up_again() {
    run(async {
        let (_folder, path, store) = new_target();
        let tables = {
            let mut target = store.bulk_target().unwrap();
            let tables = target.begin("one").unwrap();
            target
                .write(
                    named(&tables, "members"),
                    &batch(named(&tables, "members"), &[1, 2]),
                )
                .unwrap();
            target.note("here").unwrap();
            tables
        };
        drop(store);
        let refused = SqliteStore::open(options(&path)).err().unwrap();
        assert!(format!("{refused:?}").contains("Unfinished"), "{refused:?}");

        let store = SqliteStore::open_for_copy(options(&path), None).unwrap();
        let mut target = store.bulk_target().unwrap();
        assert!(matches!(target.begin("two"), Err(BulkError::OtherCopy(other)) if other == "one"));
        assert_eq!(target.begin("one").unwrap(), tables);
        let members = named(&tables, "members");
        assert_eq!(target.reached(members).unwrap().rows, 2);
        assert_eq!(target.noted().unwrap().as_deref(), Some("here"));
        target.write(members, &batch(members, &[3])).unwrap();
        complete(target.as_mut());
        // Finishing again does no harm.
        assert_eq!(complete(target.as_mut()), ["check"]);
        target.release().unwrap();
        drop(target);
        drop(store);
        SqliteStore::open(options(&path)).unwrap();
        assert_eq!(number(&path, "SELECT count(*) FROM members"), 3);
    });
}

#[test]
fn a_store_with_rows_is_no_target() {
    run(async {
        let (_folder, path, store) = new_store().await;
        let mut target = store.bulk_target().unwrap();
        crm_domain::ports::store::StoreExt::write(&*store, |unit| add_company(unit, "青木商店"))
            .await
            .unwrap();
        assert!(matches!(target.begin("one"), Err(BulkError::NotEmpty(table)) if table == "companies"));
        assert_eq!(number(&path, "SELECT count(*) FROM companies"), 1);
        SqliteStore::open(options(&path)).unwrap();
    });
}

#[test]
fn a_row_that_refers_to_nothing_is_named_by_its_table() {
    run(async {
        let (_folder, _path, store) = new_target();
        let mut target = store.bulk_target().unwrap();
        let tables = target.begin("one").unwrap();
        target
            .write(named(&tables, "notes"), &batch(named(&tables, "notes"), &[1]))
            .unwrap();
        let failed = target.complete(&mut |_| ());
        assert!(matches!(failed, Err(BulkError::Dangling(table)) if table == "notes"));
    });
}

#[test]
fn values_that_belong_nowhere_are_named() {
    run(async {
        let (_folder, path, store) = new_store().await;
        for (value, why) in [
            ("'soon'", "no date"),
            ("7", "another kind"),
            ("CAST(x'ff' AS TEXT)", "no date"),
        ] {
            other_program(&path)
                .batch_execute(&format!(
                    "DELETE FROM companies; INSERT INTO companies (id, name, deleted_at) VALUES (17, 'a', {value})"
                ))
                .unwrap();
            let mut source = store.bulk_source().unwrap();
            let tables = source.tables().unwrap();
            let error = source
                .rows(named(&tables, "companies"), None, &mut |_| Ok(()))
                .unwrap_err();
            let told = error.to_string();
            assert!(
                told.contains("companies.deleted_at of row 17") && told.contains(why),
                "{told}"
            );
        }
        other_program(&path)
            .batch_execute(
                "DELETE FROM companies; INSERT INTO companies (name) VALUES ('a' || char(0) || 'b')",
            )
            .unwrap();
        let mut source = store.bulk_source().unwrap();
        let tables = source.tables().unwrap();
        let error = source
            .rows(named(&tables, "companies"), None, &mut |_| Ok(()))
            .unwrap_err();
        assert!(error.to_string().contains("U+0000"), "{error}");
    });
}

#[test]
fn a_source_shows_one_moment() {
    run(async {
        let (_folder, path, store) = new_store().await;
        let mut source = store.bulk_source().unwrap();
        other_program(&path)
            .batch_execute("INSERT INTO companies (name) VALUES ('a')")
            .unwrap();
        let tables = source.tables().unwrap();
        assert_eq!(source.count(named(&tables, "companies")).unwrap(), 0);
        assert_eq!(
            store
                .bulk_source()
                .unwrap()
                .count(named(&tables, "companies"))
                .unwrap(),
            1
        );
    });
}

#[test]
fn a_full_disk_stops_a_copy_that_goes_on_when_there_is_room() {
    run(async {
        let (_folder, path) = new_folder();
        let store = SqliteStore::open_for_copy(options(&path), None).unwrap();
        store.migrate().await.unwrap();
        drop(store);
        let pages = u32::try_from(number(&path, "PRAGMA page_count")).unwrap();
        let store = SqliteStore::open_for_copy(options(&path), Some(pages + 20)).unwrap();
        let mut target = store.bulk_target().unwrap();
        let tables = target.begin("one").unwrap();
        let companies = named(&tables, "companies");
        let mut next = 1;
        let failed = loop {
            let numbers: Vec<i64> = (next..next + 200).collect();
            match target.write(companies, &batch(companies, &numbers)) {
                Ok(()) => next += 200,
                Err(failed) => break failed,
            }
        };
        assert!(
            matches!(&failed, BulkError::Store(error) if format!("{error:?}").contains("full")),
            "{failed:?}"
        );
        drop(target);
        drop(store);
        let store = SqliteStore::open_for_copy(options(&path), None).unwrap();
        let mut target = store.bulk_target().unwrap();
        target.begin("one").unwrap();
        assert_eq!(
            target.reached(companies).unwrap().rows,
            u64::try_from(next - 1).unwrap()
        );
        let numbers: Vec<i64> = (next..next + 200).collect();
        target.write(companies, &batch(companies, &numbers)).unwrap();
    });
}

#[test]
fn tables_that_are_left_behind_are_not_named_by_mistake() {
    for (name, why) in LEFT_BEHIND {
        assert!(!is_moved(name) && !why.is_empty());
    }
}
