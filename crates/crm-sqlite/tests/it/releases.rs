//! Every released schema, filled, opened by this program: nothing is lost and every row reads. A release adds its own.

use crm_domain::ports::store::{StoreError, StoreExt as _};
use crm_domain::ports::store_admin::StoreAdmin as _;
use crm_sqlite::SqliteStore;
use crm_testkit::released::{Everything, read_everything};
use diesel::connection::SimpleConnection as _;

use crate::common::{counts, number, options, other_program, run, texts};
use crate::landed::released;

/// The last migration of each release, and what one held.
const RELEASES: [(usize, &str); 5] = [
    (9, include_str!("fixtures/0009.sql")),
    (15, include_str!("fixtures/0015.sql")),
    (21, include_str!("fixtures/0021.sql")),
    (32, include_str!("fixtures/0032.sql")),
    (33, include_str!("fixtures/0033.sql")),
];

#[test]
fn every_row_of_every_release_reads() {
    run(async {
        for (last, filled) in RELEASES {
            let (_folder, path) = released(last);
            other_program(&path).batch_execute(filled).unwrap();
            let before = counts(&path);
            let store = SqliteStore::open(options(&path)).unwrap();
            store.migrate().await.unwrap();
            let after = counts(&path);
            for (table, rows) in &before {
                assert_eq!(after.get(table), Some(rows), "{table} since {last}");
            }
            assert_eq!(texts(&path, "PRAGMA integrity_check"), ["ok"]);
            assert!(texts(&path, "SELECT \"table\" FROM pragma_foreign_key_check").is_empty());
            let read: Everything = store
                .read(|unit| read_everything(unit))
                .await
                .unwrap_or_else(|error: StoreError| panic!("since {last}: {error}"));
            let living = |table: &str| {
                let count = format!("SELECT count(*) FROM {table} WHERE deleted_at IS NULL");
                usize::try_from(number(&path, &count)).unwrap()
            };
            assert_eq!(read.customers, living("customers"), "since {last}");
            assert_eq!(read.companies, living("companies"), "since {last}");
            assert!(read.messages > 0 && read.conversations > 0, "{read:?}");
        }
    });
}
