//! The schema only grows between two releases: what the former one reads and writes is still there (docs/upgrades.md).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crm_domain::ports::store::Store as _;
use crm_domain::ports::store_admin::StoreAdmin as _;
use crm_sqlite::SqliteStore;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use crate::common::{new_folder, number, options, other_program, run, texts};
use crate::landed::released;

#[derive(QueryableByName, Debug, PartialEq, Eq)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    /// Whether a row can do without it.
    #[diesel(sql_type = Bool)]
    optional: bool,
}

type Tables = BTreeMap<String, Vec<Column>>;

fn tables(path: &Path) -> Tables {
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '__diesel*'";
    let columns = |table: String| {
        let query = format!(
            "SELECT name, type AS kind, (\"notnull\" = 0 OR dflt_value IS NOT NULL OR pk > 0) AS optional FROM pragma_table_info('{table}')"
        );
        let columns = diesel::sql_query(query).load(&mut other_program(path)).unwrap();
        (table, columns)
    };
    texts(path, names).into_iter().map(columns).collect()
}

/// The unique indexes, each as table and columns.
fn unique(path: &Path) -> BTreeSet<String> {
    let query =
        "SELECT t.name || ' (' || (SELECT group_concat(coalesce(name, '…'), ', ') FROM pragma_index_info(i.name)) || ')'
                 FROM sqlite_master t, pragma_index_list(t.name) i
                 WHERE t.type = 'table' AND i.\"unique\" = 1 AND t.name NOT GLOB 'sqlite_*'";
    texts(path, query).into_iter().collect()
}

#[test]
fn a_release_finds_everything_it_knows_in_the_next_schema() {
    run(async {
        let (_folder, path) = released(21);
        let (before, unique_before) = (tables(&path), unique(&path));
        let store = SqliteStore::open(options(&path)).unwrap();
        store.migrate().await.unwrap();
        let after = tables(&path);
        for (table, columns) in &before {
            let now = after.get(table).unwrap_or_else(|| panic!("{table} is gone"));
            for column in columns {
                let same = now.iter().find(|new| new.name == column.name);
                let same = same.unwrap_or_else(|| panic!("{table}.{} is gone", column.name));
                assert_eq!(same.kind, column.kind, "{table}.{}", column.name);
                assert!(
                    same.optional || !column.optional,
                    "{table}.{} is needed now",
                    column.name
                );
            }
            let new = now
                .iter()
                .filter(|new| !columns.iter().any(|old| old.name == new.name));
            for column in new {
                assert!(
                    column.optional,
                    "the last release does not fill {table}.{}",
                    column.name
                );
            }
        }
        let refused: Vec<_> = unique(&path)
            .difference(&unique_before)
            .filter(|index| {
                before
                    .keys()
                    .any(|table| index.starts_with(&format!("{table} (")))
            })
            .cloned()
            .collect();
        assert_eq!(
            refused, [""; 0],
            "what the last release writes may break a new unique index"
        );
    });
}

#[test]
fn the_database_says_its_version_and_whom_it_admits() {
    run(async {
        let (_folder, path) = new_folder();
        let store = SqliteStore::open(options(&path)).unwrap();
        assert_eq!(
            store.schema_version().await.unwrap(),
            None,
            "before the first migration"
        );
        store.migrate().await.unwrap();
        let schema = store.schema_version().await.unwrap().unwrap();
        assert_eq!(schema.version, store.newest_known());
        assert_eq!(schema.product, env!("CARGO_PKG_VERSION"));
        assert!(schema.admits(store.newest_known()) && schema.admits(schema.oldest_binary));
        assert!(!schema.admits(schema.oldest_binary - 1));
    });
}

#[test]
fn a_rehearsal_leaves_everything_as_it_was() {
    run(async {
        let (folder, path) = released(21);
        let store = SqliteStore::open(options(&path)).unwrap();
        let rehearsed = store.rehearse().await.unwrap();
        assert_eq!(store.migrations_pending().await.unwrap(), rehearsed.len());
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert!(left.iter().all(|entry| {
            !entry
                .as_ref()
                .unwrap()
                .file_name()
                .to_string_lossy()
                .contains("rehearsal")
        }));
        assert_eq!(
            number(
                &path,
                "SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'"
            ),
            0
        );
        assert_eq!(store.migrate().await.unwrap(), rehearsed);
    });
}
