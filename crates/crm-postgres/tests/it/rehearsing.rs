//! Migrations beside people at work: tried on a copy, and done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crm_domain::ports::store::Store as _;
use crm_domain::ports::store_admin::StoreAdmin as _;
use crm_postgres::PostgresStore;
use crm_testkit::postgres::TestDatabase;

use crate::common::{options, run};
use crate::growing::released;

const FILLED: &str = "INSERT INTO companies (name) SELECT '社' || n FROM generate_series(1, 3000) n;
    INSERT INTO customers (first_name, last_name, company_id) SELECT '名', '姓' || n, n FROM generate_series(1, 3000) n;
    INSERT INTO conversations (bot, address, kind, link, link_at, created_at)
        SELECT '1', 'U' || n, 'person', 'open', now(), now() FROM generate_series(1, 3000) n;
    INSERT INTO activities (customer_id, message, timestamp, conversation_id)
        SELECT n, 'こんにちは', now(), n FROM generate_series(1, 3000) n";
/// Everything of the live schema: its columns, constraints, indexes, and how many rows there are.
const STATE: &str = "SELECT md5(string_agg(line, ' ' ORDER BY line)) FROM (
    SELECT table_name || column_name || data_type AS line FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT version FROM __diesel_schema_migrations
    UNION ALL SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg_%') AS lines";

fn open(database: &TestDatabase) -> PostgresStore {
    PostgresStore::open(options(&database.url)).unwrap()
}

fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    error.source().unwrap().to_string()
}

/// Does this again and again on a connection of its own, and says how long it took at most.
async fn longest(store: &PostgresStore, statements: &str, done: &AtomicBool) -> Duration {
    let line = store.plain_client().await.unwrap();
    let mut longest = Duration::ZERO;
    while !done.load(Ordering::SeqCst) {
        let begun = Instant::now();
        line.client.batch_execute(statements).await.unwrap();
        longest = longest.max(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    longest
}

/// The last one works on the schema that is there now, with rows in every kind of table.
#[test]
fn a_rehearsal_happens_on_a_copy_while_people_work_on_the_live_tables() {
    run(async {
        for migrations in [10, 21, 30] {
            let database = released(migrations);
            database.sql(FILLED);
            let store = open(&database);
            let before = database.sql(STATE);
            // In the way of whatever would change one of these tables.
            let busy = store.plain_client().await.unwrap();
            busy.client
                .batch_execute("BEGIN; UPDATE companies SET phone = '1'; UPDATE conversations SET link = 'open'; DELETE FROM sends; UPDATE receipts SET bot = bot; UPDATE activities SET kind = kind")
                .await
                .unwrap();
            let done = AtomicBool::new(false);
            let work = "SET lock_timeout = '400ms'; INSERT INTO companies (name) VALUES ('新'); \
                        SELECT count(*) FROM activities";
            let rehearsal = async {
                let names = store.rehearse().await;
                done.store(true, Ordering::SeqCst);
                names
            };
            let (names, _) = tokio::join!(rehearsal, longest(&store, work, &done));
            assert_eq!(names.unwrap().len(), store.migrations_pending().await.unwrap());
            busy.client.batch_execute("COMMIT").await.unwrap();
            assert_eq!(database.sql(STATE), before);
        }
    });
}

#[test]
fn what_would_fail_on_the_rows_fails_in_the_rehearsal() {
    run(async {
        let database = released(10);
        database.sql(FILLED);
        database.sql(
            "INSERT INTO receipts (bot, issued, digest, body, received_at, state) VALUES ('1', 't', '', '', now(), 'recorded');
             UPDATE activities SET receipt_id = 1, kind = 'image', detail = '{broken' WHERE id = 7",
        );
        let before = database.sql(STATE);
        let store = open(&database);
        let told = reason(&store.rehearse().await.unwrap_err());
        assert!(
            told.contains("0011") && told.contains("nothing was changed"),
            "{told}"
        );
        assert_eq!(database.sql(STATE), before);
        database.sql("UPDATE activities SET detail = '{\"fileId\": \"f\"}' WHERE id = 7");
        let names = store.rehearse().await.unwrap();
        assert_eq!(store.migrate().await.unwrap(), names);
    });
}

/// Whoever reads must not queue behind a migration that waits for a long transaction.
#[test]
fn a_migration_waits_for_a_busy_table_without_holding_the_others_up() {
    run(async {
        let database = released(21);
        let store = Arc::new(open(&database));
        let busy = store.plain_client().await.unwrap();
        busy.client
            .batch_execute("BEGIN; SELECT count(*) FROM sends")
            .await
            .unwrap();
        let migrating = tokio::spawn({
            let store = Arc::clone(&store);
            async move { store.migrate().await }
        });
        let done = AtomicBool::new(false);
        let free = async {
            tokio::time::sleep(Duration::from_secs(9)).await;
            busy.client.batch_execute("COMMIT").await.unwrap();
            let names = migrating.await.unwrap();
            done.store(true, Ordering::SeqCst);
            names
        };
        let (names, waited) = tokio::join!(free, longest(&store, "SELECT count(*) FROM sends", &done));
        assert!(!names.unwrap().is_empty());
        assert!(waited < Duration::from_secs(6), "{waited:?}");
        assert_eq!(store.migrations_pending().await.unwrap(), 0);
    });
}
