//! The file as operators and the specification's own SQL see it.

use crm_domain::id::Id;
use crm_domain::ports::store::{StoreError, StoreExt};
use crm_domain::ports::store_admin::StoreAdmin;
use crm_domain::teams::Visible;
use crm_sqlite::SqliteStore;
use crm_testkit::fixtures::{after, customer_on, received, start, user};
use diesel::connection::SimpleConnection;

use crate::common::{company, new_store, number, options, other_program, run, texts};

#[test]
fn the_file_keeps_a_log_and_only_its_owner_reads_it() {
    use std::os::unix::fs::PermissionsExt;
    run(async {
        let (folder, path, store) = new_store().await;
        assert_eq!(texts(&path, "PRAGMA journal_mode"), ["wal"]);
        company(&store, "会社").await.unwrap();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", entry.file_name());
        }
    });
}

#[test]
fn the_specifications_own_statements_work() {
    run(async {
        let (_folder, path, store) = new_store().await;
        let customer = store
            .write::<_, StoreError, _>(|unit| {
                let details = customer_on("山田", "太郎", &user(1));
                let customer = unit.edit_customers().add_customer(&details, start())?;
                let said = [
                    received(customer, "二番目", after(1)),
                    received(customer, "最初", start()),
                ];
                unit.edit_activities().add_activities(&said)?;
                Ok(customer)
            })
            .await
            .unwrap();
        let ids = number(
            &path,
            "SELECT id FROM (SELECT id, first_name, last_name, line_user_id FROM customers)",
        );
        assert_eq!(ids, customer.get());
        assert_eq!(
            texts(
                &path,
                "SELECT message FROM (SELECT * FROM activities ORDER BY timestamp DESC LIMIT 10)"
            ),
            ["二番目", "最初"]
        );
        assert_eq!(
            texts(&path, "SELECT timestamp FROM activities ORDER BY timestamp"),
            ["2025-07-08 02:45:46.446", "2025-07-08 02:45:47.446"]
        );
    });
}

#[test]
fn rows_written_by_hand_are_shown() {
    run(async {
        let (_folder, path, store) = new_store().await;
        other_program(&path)
            .batch_execute(
                "INSERT INTO companies (name, website) VALUES ('手入力', 'no address at all');
                 INSERT INTO customers (first_name, last_name, email, company_id) VALUES ('花子', '', 'broken', 1);
                 INSERT INTO activities (customer_id, message, timestamp) VALUES (1, 'こんにちは', '2025-07-08 10:30:45');",
            )
            .unwrap();
        let line = store
            .read::<_, StoreError, _>(|unit| unit.customers().customer(Id::new(1), &Visible::All))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(line.customer.details.name.full(), "花子");
        assert_eq!(
            (line.customer.details.email, line.company_name.as_deref()),
            (None, Some("手入力"))
        );
        let said = store
            .read::<_, StoreError, _>(|unit| unit.activities().activities_before(Id::new(1), None, 10))
            .await
            .unwrap();
        let times: Vec<_> = said
            .iter()
            .map(|activity| activity.timestamp.to_string())
            .collect();
        assert_eq!(times, ["2025-07-08T10:30:45.000Z"]);
    });
}

#[test]
fn a_path_with_signs_that_mean_something_to_sqlite_is_a_path() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("顧客 100%?#.db");
        let store = SqliteStore::open(options(&path)).unwrap();
        store.migrate().await.unwrap();
        assert!(path.exists());
    });
}

#[test]
fn a_question_with_very_many_ids_is_answered() {
    run(async {
        let (_folder, _, store) = new_store().await;
        let id = store
            .write::<_, StoreError, _>(|unit| {
                let details = customer_on("山田", "太郎", &user(39_999));
                unit.edit_customers().add_customer(&details, start())
            })
            .await
            .unwrap();
        let carrying = store
            .read::<_, StoreError, _>(|unit| {
                let everybody: Vec<_> = (0..40_000).map(user).collect();
                unit.customers().customers_carrying(&everybody)
            })
            .await;
        assert_eq!(carrying.unwrap(), [(user(39_999), id)]);
    });
}
