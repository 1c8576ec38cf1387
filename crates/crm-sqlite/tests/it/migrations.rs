//! Migrations on new and on filled files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crm_domain::conversations::LinkState;
use crm_domain::ports::store::{Store, StoreError, StoreExt};
use crm_domain::ports::store_admin::StoreAdmin;
use crm_sqlite::SqliteStore;
use crm_testkit::fixtures::{
    customer_of, new_member, new_send, receipt, received_in, sent_in, start, talk, user,
};
use diesel::connection::SimpleConnection;

use crate::common::{add_company, new_folder, new_store, number, options, other_program, run, texts};

/// As if the database were of the release before the last migration.
const WITHOUT_THE_LAST: &str =
    "DROP TABLE operations; DELETE FROM __diesel_schema_migrations WHERE version = '0009'";

#[test]
fn a_new_file_gets_every_migration_once() {
    run(async {
        let (_folder, path) = new_folder();
        let store = SqliteStore::open(options(&path)).unwrap();
        let all = store.migrations().await.unwrap();
        assert!(all.iter().all(|migration| !migration.applied));
        assert_eq!(store.migrations_pending().await.unwrap(), all.len());
        let names: Vec<_> = all.into_iter().map(|migration| migration.name).collect();
        assert!(names.is_sorted() && names.first().is_some_and(|name| name == "0001_imports"));
        assert_eq!(store.migrate().await.unwrap(), names);
        assert_eq!(store.migrations_pending().await.unwrap(), 0);
        assert!(store.migrate().await.unwrap().is_empty());
    });
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |database: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../migrations")
            .join(database);
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

/// Puts at least one row into every table that use cases fill.
async fn fill(store: &SqliteStore) {
    store
        .write::<_, StoreError, _>(|unit| {
            let company = add_company(unit, "会社")?;
            let details = customer_of("山田", "太郎", company);
            let customer = unit.edit_customers().add_customer(&details, start())?;
            let ids = unit
                .edit_conversations()
                .open_conversations(&[talk(&user(1))], start())?;
            let Some(&conversation) = ids.first() else {
                return Ok(());
            };
            unit.edit_conversations()
                .set_link(conversation, LinkState::Active, start())?;
            unit.edit_receipts().keep_receipt(&receipt("{}", start()))?;
            let send = unit
                .edit_sends()
                .add_send(&new_send("key", conversation, "返事", start()))?;
            unit.edit_activities().add_activities(&[
                received_in(conversation, customer, "質問", start()),
                sent_in(conversation, customer, send.id(), "返事", start()),
            ])?;
            let member = new_member("a@example.jp", "管理 花子", crm_domain::members::Role::Admin);
            let member = unit.edit_members().add_member(&member, start())?;
            unit.edit_credentials()
                .add_token(member, "鍵", &[7; 32], None, start())?;
            unit.edit_credentials().add_failed_sign_in(&[8; 32], start())?;
            unit.edit_imports().begin_import("poc", start())?;
            unit.note_operation(&[9; 16], start())
        })
        .await
        .unwrap();
}

fn counts(path: &Path) -> BTreeMap<String, i64> {
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '__diesel*'";
    let count = |table: String| {
        let rows = number(path, &format!("SELECT count(*) FROM \"{table}\""));
        (table, rows)
    };
    texts(path, tables).into_iter().map(count).collect()
}

/// A closed, filled database and how many rows each table has.
async fn filled() -> (tempfile::TempDir, PathBuf, BTreeMap<String, i64>) {
    let (folder, path, store) = new_store().await;
    fill(&store).await;
    drop(store);
    let before = counts(&path);
    (folder, path, before)
}

#[test]
fn migrating_a_filled_database_loses_no_row() {
    run(async {
        let (_folder, path, mut before) = filled().await;
        assert!(
            before.values().filter(|rows| **rows > 0).count() >= 10,
            "{before:?}"
        );
        other_program(&path).batch_execute(WITHOUT_THE_LAST).unwrap();
        let store = SqliteStore::open(options(&path)).unwrap();
        assert_eq!(store.migrate().await.unwrap().len(), 1);
        before.insert("operations".to_owned(), 0);
        assert_eq!(counts(&path), before);
        assert_eq!(texts(&path, "PRAGMA integrity_check"), ["ok"]);
    });
}

#[test]
fn a_database_that_is_up_to_date_is_only_looked_at() {
    run(async {
        let (_folder, path, before) = filled().await;
        // Checking all references would find these, and take seconds of every start.
        other_program(&path)
            .batch_execute("PRAGMA foreign_keys = OFF; DELETE FROM companies")
            .unwrap();
        let store = SqliteStore::open(options(&path)).unwrap();
        assert_eq!(store.migrate().await.unwrap(), Vec::<String>::new());
        assert_eq!(counts(&path)["customers"], before["customers"]);
    });
}

#[test]
fn a_migration_that_fails_changes_nothing() {
    run(async {
        let (_folder, path, before) = filled().await;
        // As if the last one had not run: running it again fails, its table exists.
        other_program(&path)
            .batch_execute("DELETE FROM __diesel_schema_migrations WHERE version = '0009'")
            .unwrap();
        let store = SqliteStore::open(options(&path)).unwrap();
        assert_eq!(store.migrations_pending().await.unwrap(), 1);
        let Err(StoreError::Unavailable(source)) = store.migrate().await else {
            panic!("it was applied");
        };
        assert!(source.to_string().contains("0009_operations failed"), "{source}");
        assert_eq!(store.migrations_pending().await.unwrap(), 1);
        assert_eq!(counts(&path), before);
    });
}

#[test]
fn rows_that_refer_to_nothing_stop_a_migration() {
    run(async {
        let (_folder, path, _) = filled().await;
        other_program(&path)
            .batch_execute(&format!(
                "PRAGMA foreign_keys = OFF; DELETE FROM companies; {WITHOUT_THE_LAST}"
            ))
            .unwrap();
        let store = SqliteStore::open(options(&path)).unwrap();
        let Err(StoreError::Unavailable(source)) = store.migrate().await else {
            panic!("it was applied");
        };
        assert!(source.to_string().contains("table customers"), "{source}");
        assert_eq!(store.migrations_pending().await.unwrap(), 1);
    });
}
