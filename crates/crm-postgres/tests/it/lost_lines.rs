//! Connections that are lost before, in and after a unit of work: a true answer and no double effect.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crm_domain::ports::store::{Store, StoreError, StoreExt};
use crm_postgres::PostgresStore;
use crm_testkit::postgres::TestDatabase;

use crate::common::{add_company, company, new_store, options, run};
use crate::proxy::{Cut, Proxy};

const OTHERS: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                      WHERE datname = current_database() AND usename = 'crm'";

async fn behind_a_proxy() -> (TestDatabase, Proxy, PostgresStore) {
    let database = TestDatabase::new();
    let (_, rest) = database.url.split_once("127.0.0.1:").unwrap();
    let (port, name) = rest.split_once('/').unwrap();
    let proxy = Proxy::to(port.parse().unwrap()).await;
    let url = format!("postgres://crm@127.0.0.1:{}/{name}", proxy.port);
    let store = PostgresStore::open(options(&url)).unwrap();
    (database, proxy, store)
}

#[test]
fn a_connection_killed_at_rest_is_replaced_unnoticed() {
    run(async {
        let (database, store) = new_store();
        company(&store, "前").await.unwrap();
        assert_ne!(database.sql(OTHERS), "0");
        company(&store, "後").await.unwrap();
        store.ping().await.unwrap();
        assert_eq!(database.sql("SELECT count(*) FROM companies"), "2");
    });
}

#[test]
fn a_unit_whose_connection_is_killed_runs_again_and_is_stored_once() {
    run(async {
        let (database, store) = new_store();
        let (killer, runs) = (Arc::new(database), Arc::new(AtomicUsize::new(0)));
        let (database, ran) = (Arc::clone(&killer), Arc::clone(&runs));
        let stored = store.write::<_, StoreError, _>(move |unit| {
            add_company(unit, "一")?;
            if ran.fetch_add(1, Ordering::SeqCst) == 0 {
                killer.sql(OTHERS);
            }
            add_company(unit, "二")
        });
        stored.await.unwrap();
        assert_eq!(runs.load(Ordering::SeqCst), 2);
        assert_eq!(database.sql("SELECT count(*) FROM companies"), "2");
    });
}

#[test]
fn a_line_cut_in_the_middle_of_a_unit_is_no_harm() {
    run(async {
        let (database, proxy, store) = behind_a_proxy().await;
        proxy.cut_at("BEGIN ISOLATION LEVEL SERIALIZABLE", Cut::Before);
        company(&store, "一").await.unwrap();
        assert!(proxy.was_cut());
        proxy.cut_at("BEGIN ISOLATION LEVEL SERIALIZABLE", Cut::After);
        company(&store, "二").await.unwrap();
        assert!(proxy.was_cut());
        assert_eq!(database.sql("SELECT count(*) FROM companies"), "2");
    });
}

#[test]
fn a_line_cut_at_the_commit_is_uncertain_whether_it_was_stored_or_not() {
    run(async {
        for (cut, stored) in [(Cut::Before, "0"), (Cut::After, "1")] {
            let (database, proxy, store) = behind_a_proxy().await;
            proxy.cut_at("COMMIT", cut);
            let answer = company(&store, "謎").await;
            assert!(matches!(answer, Err(StoreError::Uncertain)), "{answer:?}");
            assert!(proxy.was_cut());
            let waited = Instant::now();
            while database.sql("SELECT count(*) FROM companies") != stored {
                assert!(waited.elapsed() < Duration::from_secs(5));
            }
            company(&store, "次").await.unwrap();
        }
    });
}

#[test]
fn a_noted_unit_finds_out_what_became_of_its_commit() {
    run(async {
        for (cut, stored) in [(Cut::Before, false), (Cut::After, true)] {
            let (database, proxy, store) = behind_a_proxy().await;
            proxy.cut_at("COMMIT", cut);
            let at = crm_testkit::fixtures::start();
            let noted = store.write_noted::<_, StoreError, _>([7; 16], at, |unit| add_company(unit, "謎"));
            let answer = noted.await;
            assert_eq!(answer.is_ok(), stored, "{answer:?}");
            assert!(!matches!(answer, Err(StoreError::Uncertain)));
            let rows = if stored { "1" } else { "0" };
            assert_eq!(database.sql("SELECT count(*) FROM companies"), rows);
        }
    });
}

/// A store that can be dropped anywhere: in a runtime, and while a unit of it runs.
#[test]
fn a_store_dropped_in_the_middle_of_a_unit_stores_all_of_it_or_nothing() {
    run(async {
        let (database, store) = new_store();
        let unit = tokio::spawn({
            let store = Arc::clone(&store);
            async move { company(&store, "途中").await }
        });
        tokio::task::yield_now().await;
        unit.abort();
        drop(unit.await);
        drop(store);
        let rows = database.sql("SELECT count(*) FROM companies");
        assert!(rows == "0" || rows == "1", "{rows}");
    });
}
