//! The schema only grows between two releases: what the former one reads and writes is still there (docs/upgrades.md).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crm_domain::ports::store::Store as _;
use crm_domain::ports::store_admin::StoreAdmin as _;
use crm_postgres::PostgresStore;
use crm_testkit::postgres::TestDatabase;

use crate::common::{options, run};

/// The last migration of the release before this one.
const RELEASED: usize = 21;

/// An empty database as the release with this last migration made it.
pub(crate) fn released(last: usize) -> TestDatabase {
    let database = TestDatabase::empty();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/postgres");
    let folders = std::fs::read_dir(folder).unwrap();
    let mut folders: Vec<PathBuf> = folders.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let mut statements =
        "SET ROLE crm; CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL,
        run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);\n"
            .to_owned();
    for folder in folders.iter().take(last) {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let (version, _) = name.split_once('_').unwrap();
        statements += &std::fs::read_to_string(folder.join("up.sql")).unwrap();
        statements += "\nINSERT INTO __diesel_schema_migrations (version) VALUES ('";
        statements += version;
        statements += "');\n";
    }
    database.sql(&statements);
    database
}

/// Column by table and name: its type, and whether a row can do without it.
fn columns(database: &TestDatabase) -> BTreeMap<String, (String, bool)> {
    let listed = database.sql(
        "SELECT table_name || '.' || column_name || '|' || data_type || '|' ||
                (is_nullable = 'YES' OR column_default IS NOT NULL OR is_identity = 'YES')
         FROM information_schema.columns WHERE table_schema = 'public'",
    );
    let columns = listed.lines().filter_map(|line| {
        let mut parts = line.split('|');
        let (name, kind, optional) = (parts.next()?, parts.next()?, parts.next()?);
        Some((name.to_owned(), (kind.to_owned(), optional == "true")))
    });
    columns.collect()
}

/// Checks, references and unique keys, each as table and what it says.
fn constraints(database: &TestDatabase) -> BTreeSet<String> {
    let listed = database.sql(
        "SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace
         UNION SELECT tablename || ' ' || regexp_replace(indexdef, '^.* USING ', 'UNIQUE ') FROM pg_indexes
         WHERE schemaname = 'public' AND indexdef LIKE 'CREATE UNIQUE%'",
    );
    listed.lines().map(str::to_owned).collect()
}

fn table_of(text: &str) -> &str {
    text.split(['.', ' ']).next().unwrap()
}

#[test]
fn a_release_finds_everything_it_knows_in_the_next_schema() {
    run(async {
        let database = released(RELEASED);
        let (before, rules) = (columns(&database), constraints(&database));
        let tables: BTreeSet<&str> = before.keys().map(|name| table_of(name)).collect();
        assert!(tables.len() > 30, "{tables:?}");
        let store = PostgresStore::open(options(&database.url)).unwrap();
        store.migrate().await.unwrap();
        let after = columns(&database);
        for (name, (kind, optional)) in &before {
            let (now, needless) = after.get(name).unwrap_or_else(|| panic!("{name} is gone"));
            assert_eq!(now, kind, "{name}");
            assert!(*needless || !optional, "{name} is needed now");
        }
        for (name, (_, optional)) in &after {
            let new = !before.contains_key(name) && tables.contains(table_of(name));
            assert!(*optional || !new, "the last release does not fill {name}");
        }
        let now = constraints(&database);
        let new: Vec<_> = now
            .difference(&rules)
            .filter(|rule| tables.contains(table_of(rule)))
            .collect();
        assert!(new.is_empty(), "what the last release writes may break {new:?}");
    });
}

#[test]
fn the_database_says_its_version_and_a_rehearsal_leaves_it_as_it_was() {
    run(async {
        let database = released(RELEASED);
        let store = PostgresStore::open(options(&database.url)).unwrap();
        assert_eq!(
            store.schema_version().await.unwrap(),
            None,
            "it is too old to say"
        );
        let before = columns(&database);
        let rehearsed = store.rehearse().await.unwrap();
        assert_eq!(columns(&database), before);
        assert_eq!(store.migrations_pending().await.unwrap(), rehearsed.len());
        assert_eq!(store.migrate().await.unwrap(), rehearsed);
        let schema = store.schema_version().await.unwrap().unwrap();
        assert_eq!(
            (schema.version, schema.product.as_str()),
            (store.newest_known(), env!("CARGO_PKG_VERSION"))
        );
    });
}
