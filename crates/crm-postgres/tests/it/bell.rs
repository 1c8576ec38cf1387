//! The bell between instances on one database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crm_domain::ports::bell::Bell;
use crm_postgres::{PgBell, PostgresStore};
use crm_testkit::postgres::TestDatabase;

use crate::common::{new_store, options, run};

const PATIENCE: Duration = Duration::from_secs(10);
const SOON: Duration = Duration::from_secs(1);

fn another(database: &TestDatabase) -> Arc<PostgresStore> {
    Arc::new(PostgresStore::open(options(&database.url)).unwrap())
}

async fn hears(bell: &PgBell, within: Duration) -> bool {
    tokio::time::timeout(within, bell.heard()).await.is_ok()
}

/// Two bells on one database that are listening: each hears once when its line is there.
async fn two() -> (TestDatabase, PgBell, PgBell) {
    let (database, store) = new_store();
    let (one, other) = (PgBell::hang(Arc::clone(&store)), PgBell::hang(another(&database)));
    assert!(hears(&one, PATIENCE).await && hears(&other, PATIENCE).await);
    (database, one, other)
}

#[test]
fn a_ring_is_heard_by_the_others_and_not_by_oneself() {
    run(async {
        let (_database, one, other) = two().await;
        let begun = Instant::now();
        one.ring();
        assert!(hears(&other, PATIENCE).await);
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        assert!(!hears(&one, Duration::from_millis(200)).await);
    });
}

#[test]
fn many_rings_at_once_are_few_notifications() {
    run(async {
        let (database, one, other) = two().await;
        let begun = Instant::now();
        let mut heard = 0;
        while begun.elapsed() < Duration::from_millis(500) {
            one.ring();
            heard += usize::from(hears(&other, Duration::from_millis(1)).await);
        }
        assert!(
            (1..=12).contains(&heard),
            "one in 50 ms, not one for each ring: {heard}"
        );
        drop(database);
    });
}

#[test]
fn a_lost_line_is_made_again_and_counts_as_a_ring() {
    run(async {
        let (database, one, other) = two().await;
        database.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        assert!(
            hears(&one, PATIENCE).await && hears(&other, PATIENCE).await,
            "connected again"
        );
        one.ring();
        assert!(hears(&other, PATIENCE).await);
    });
}

#[test]
fn a_ring_without_a_line_is_rung_later() {
    run(async {
        let (database, one, other) = two().await;
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        database.sql(cut);
        one.ring();
        assert!(hears(&other, PATIENCE).await);
        assert!(hears(&one, PATIENCE).await);
    });
}
