//! Every released schema on PostgreSQL, filled, opened by this program: nothing is lost and every row reads. A release adds its
//! own (`scripts/keep-release`).

use std::collections::BTreeMap;

use crm_domain::ports::store::{StoreError, StoreExt as _};
use crm_domain::ports::store_admin::StoreAdmin as _;
use crm_postgres::PostgresStore;
use crm_testkit::postgres::TestDatabase;
use crm_testkit::released::{Everything, read_everything};

use crate::common::{options, run};
use crate::growing::released;

/// The last migration of each release, and what one held.
const RELEASES: [(usize, &str); 2] = [
    (32, include_str!("fixtures/0032.sql")),
    (33, include_str!("fixtures/0033.sql")),
];

/// How many rows each table has that the release had.
fn counts(database: &TestDatabase) -> BTreeMap<String, String> {
    let tables = database.sql(
        "SELECT table_name FROM information_schema.tables
         WHERE table_schema = 'public' AND table_name NOT IN ('__diesel_schema_migrations', 'schema_version')",
    );
    let count = |table: &str| database.sql(&format!("SELECT count(*) FROM public.{table}"));
    tables
        .lines()
        .map(|table| (table.to_owned(), count(table).trim().to_owned()))
        .collect()
}

#[test]
fn every_row_of_every_release_reads() {
    run(async {
        for (last, filled) in RELEASES {
            let database = released(last);
            database.sql(filled);
            let before = counts(&database);
            let store = PostgresStore::open(options(&database.url)).unwrap();
            store.migrate().await.unwrap();
            let after = counts(&database);
            for (table, rows) in &before {
                assert_eq!(after.get(table), Some(rows), "{table} since {last}");
            }
            let read: Everything = store
                .read(|unit| read_everything(unit))
                .await
                .unwrap_or_else(|error: StoreError| panic!("since {last}: {error}"));
            let count = |table: &str| before[table].parse::<usize>().unwrap();
            assert_eq!(read.members, count("members"), "{read:?}");
            assert!(
                read.customers > 0 && read.customers < count("customers"),
                "{read:?}"
            );
            assert!(
                read.messages > 0 && read.messages <= count("activities"),
                "{read:?}"
            );
            assert!(
                read.conversations > 0 && read.about_persons > 0 && read.others > 0,
                "{read:?}"
            );
        }
    });
}
