//! Copies made while others write.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crm_domain::ports::store::{StoreError, StoreExt};
use crm_domain::ports::store_admin::StoreAdmin;
use crm_sqlite::SqliteStore;
use crm_testkit::fixtures::{customer_of, start};

use diesel::RunQueryDsl as _;

use crate::common::{add_company, company, new_store, number, options, other_program, run, texts};

#[test]
fn a_copy_made_while_others_write_is_whole() {
    run(async {
        let (folder, _, store) = new_store().await;
        let go_on = Arc::new(AtomicBool::new(true));
        let (writing, going) = (Arc::clone(&store), Arc::clone(&go_on));
        let writer = tokio::spawn(async move {
            while going.load(Ordering::Relaxed) {
                // A company and its customer are one unit: no copy has one without the other.
                let pair = writing.write::<_, StoreError, _>(|unit| {
                    let company = add_company(unit, "会社")?;
                    let details = customer_of("山田", "太郎", company);
                    unit.edit_customers().add_customer(&details, start())
                });
                pair.await.unwrap();
            }
        });
        for n in 0..3 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            let copy = folder.path().join(format!("copy{n}.db"));
            store.backup(&copy).await.unwrap();
            assert_eq!(texts(&copy, "PRAGMA integrity_check"), ["ok"]);
            let companies = number(&copy, "SELECT count(*) FROM companies");
            assert!(companies > 0);
            assert_eq!(number(&copy, "SELECT count(*) FROM customers"), companies);
            let mode = std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600);
        }
        go_on.store(false, Ordering::Relaxed);
        writer.await.unwrap();
    });
}

#[test]
fn a_copy_is_a_store() {
    run(async {
        let (folder, _, store) = new_store().await;
        let id = company(&store, "会社").await.unwrap();
        let copy = folder.path().join("copy.db");
        store.backup(&copy).await.unwrap();
        let copy = SqliteStore::open(options(&copy)).unwrap();
        let found: Result<_, StoreError> = copy.read(move |unit| unit.companies().company(id)).await;
        assert!(found.unwrap().is_some());
    });
}

#[test]
fn nothing_is_overwritten_and_a_failed_copy_leaves_nothing() {
    run(async {
        let (folder, _, store) = new_store().await;
        let there = folder.path().join("there.db");
        std::fs::write(&there, "precious").unwrap();
        let refused = store.backup(&there).await;
        let Err(StoreError::Unavailable(source)) = refused else {
            panic!("it was overwritten");
        };
        assert!(source.to_string().contains("is not overwritten"), "{source}");
        assert_eq!(std::fs::read_to_string(&there).unwrap(), "precious");
        let nowhere = folder.path().join("nowhere").join("copy.db");
        assert!(store.backup(&nowhere).await.is_err());
        assert!(!nowhere.exists());
    });
}

/// Tables of which rows stay although a copy leaves them behind: they belong to the store, not to a moment of its past.
const ITS_OWN: [&str; 7] = [
    "event_epoch",
    "schema_version",
    "__diesel_schema_migrations",
    "blobs",
    "blob_bodies",
    "blob_chunks",
    "unfinished_copy",
];

/// Something of the kind that a column holds.
fn anything(column: &str, kind: &str) -> String {
    match kind {
        "BLOB" => "x'00'".to_owned(),
        "TIMESTAMP" => "'2025-07-08 02:45:46.446'".to_owned(),
        "BOOLEAN" | "INTEGER" | "BIGINT" => "1".to_owned(),
        _ => format!("'{column}'"),
    }
}

#[test]
fn a_restored_store_keeps_nothing_that_a_copy_leaves_behind() {
    run(async {
        let (_folder, path, store) = new_store().await;
        let passing: Vec<&str> = crm_domain::ports::bulk::LEFT_BEHIND
            .iter()
            .map(|(table, _)| *table)
            .filter(|table| !ITS_OWN.contains(table))
            .filter(|table| {
                number(
                    &path,
                    &format!(
                        "SELECT count(*) FROM pragma_table_list WHERE name = '{table}' AND type = 'table'"
                    ),
                ) == 1
            })
            .collect();
        assert!(passing.len() > 9, "{passing:?}");
        for table in &passing {
            let named = format!("SELECT name || ' ' || type FROM pragma_table_info('{table}')");
            let columns = texts(&path, &named);
            let columns: Vec<(&str, &str)> = columns
                .iter()
                .filter_map(|column| column.split_once(' '))
                .collect();
            let listed: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
            let values: Vec<String> = columns.iter().map(|(name, kind)| anything(name, kind)).collect();
            let (columns, values) = (listed.join(", "), values.join(", "));
            let insert = format!("INSERT OR IGNORE INTO {table} ({columns}) VALUES ({values})");
            let mut conn = other_program(&path);
            diesel::sql_query("PRAGMA foreign_keys = OFF")
                .execute(&mut conn)
                .unwrap();
            diesel::sql_query(insert).execute(&mut conn).unwrap();
        }
        let forgot: Result<(), StoreError> = store
            .write(|unit| unit.edit_backups().forget_passing("0123456789abcdef"))
            .await;
        forgot.unwrap();
        for table in passing {
            assert_eq!(
                number(&path, &format!("SELECT count(*) FROM {table}")),
                0,
                "{table}"
            );
        }
    });
}
