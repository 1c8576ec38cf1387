//! Connections that are lost before, in and after a unit of work: a true answer and no double effect.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crm_domain::ports::store::{Store, StoreError, StoreExt};
use crm_domain::ports::store_admin::StoreAdmin as _;
use crm_postgres::PostgresStore;
use crm_testkit::postgres::{Cluster, TestDatabase};

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

/// The look-up must not take a database that is away for one that does not have it.
#[test]
fn a_noted_unit_waits_for_a_database_that_is_away_before_it_says_what_became_of_it() {
    run(async {
        for (cut, stored) in [(Cut::Before, false), (Cut::After, true)] {
            let (database, proxy, store) = behind_a_proxy().await;
            proxy.cut_at("COMMIT", cut);
            proxy.stay_away(true);
            let at = crm_testkit::fixtures::start();
            let noted = store.write_noted::<_, StoreError, _>([7; 16], at, |unit| add_company(unit, "謎"));
            let back = async {
                while !proxy.was_cut() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                // Longer than a unit waits for a server.
                tokio::time::sleep(Duration::from_secs(3)).await;
                proxy.stay_away(false);
            };
            let (answer, ()) = tokio::join!(noted, back);
            assert_eq!(answer.is_ok(), stored, "{answer:?}");
            assert!(!matches!(answer, Err(StoreError::Uncertain)));
            let rows = if stored { "1" } else { "0" };
            assert_eq!(database.sql("SELECT count(*) FROM companies"), rows);
        }
    });
}

#[test]
fn what_nobody_can_tell_stays_uncertain() {
    run(async {
        let (_database, proxy, store) = behind_a_proxy().await;
        proxy.cut_at("COMMIT", Cut::After);
        proxy.stay_away(true);
        let at = crm_testkit::fixtures::start();
        let begun = Instant::now();
        let noted = store.write_noted::<_, StoreError, _>([7; 16], at, |unit| add_company(unit, "謎"));
        let answer = noted.await;
        assert!(matches!(answer, Err(StoreError::Uncertain)), "{answer:?}");
        assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    });
}

/// A commit that waits for its standby can be seen by nobody, and comes about all the same.
#[test]
fn a_noted_unit_whose_commit_hangs_is_not_told_to_be_lost() {
    run(async {
        let primary = Cluster::start();
        let standby = Cluster::standby_of(&primary, "second");
        let proxy = Proxy::to(primary.port()).await;
        let store = PostgresStore::open(options(&format!("postgres://crm@127.0.0.1:{}/crm", proxy.port)));
        let store = store.unwrap();
        store.migrate().await.unwrap();
        primary.synchronous("second");
        standby.freeze();
        proxy.cut_at("COMMIT", Cut::Sent);
        let at = crm_testkit::fixtures::start();
        let noted = store.write_noted::<_, StoreError, _>([7; 16], at, |unit| add_company(unit, "謎"));
        let thaw = tokio::task::spawn_blocking(move || {
            let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'transactionid'";
            let begun = Instant::now();
            while primary.sql("postgres", waits) == "0" {
                assert!(
                    begun.elapsed() < Duration::from_secs(20),
                    "nobody waits for the commit"
                );
            }
            assert_eq!(primary.sql("crm", "SELECT count(*) FROM companies"), "0");
            standby.thaw();
            (primary, standby)
        });
        let (answer, clusters) = tokio::join!(noted, thaw);
        answer.unwrap();
        let (primary, _standby) = clusters.unwrap();
        assert_eq!(primary.sql("crm", "SELECT count(*) FROM companies"), "1");
    });
}

/// Enough connections are no sign of death: a unit that takes longer than the pulse goes on.
#[test]
fn a_unit_goes_on_while_the_server_takes_no_further_connections() {
    run(async {
        let (database, store) = new_store();
        let limit = format!("ALTER DATABASE {} CONNECTION LIMIT 0", database.name());
        let database = Arc::new(database);
        let full = Arc::clone(&database);
        let ran = Arc::new(AtomicUsize::new(0));
        let runs = Arc::clone(&ran);
        let slow = store.write::<_, StoreError, _>(move |unit| {
            if runs.fetch_add(1, Ordering::SeqCst) == 0 {
                full.sql(&limit);
                std::thread::sleep(Duration::from_millis(3_600));
            }
            add_company(unit, "遅")
        });
        slow.await.unwrap();
        assert_eq!(ran.load(Ordering::SeqCst), 1, "it was cut");
        company(&store, "次").await.unwrap();
        assert_eq!(database.sql("SELECT count(*) FROM companies"), "2");
    });
}

#[test]
fn a_short_crowd_at_the_server_is_waited_for() {
    run(async {
        let (database, store) = new_store();
        company(&store, "前").await.unwrap();
        database.shut();
        let name = database.name().to_owned();
        let open = tokio::task::spawn_blocking(move || {
            std::thread::sleep(Duration::from_secs(1));
            TestDatabase::open_again(&name);
        });
        let (unit, scrub, open) = tokio::join!(company(&store, "中"), store.scrub(), open);
        open.unwrap();
        unit.unwrap();
        scrub.unwrap();
    });
}

/// Otherwise it keeps what it has locked until it has waited enough.
#[test]
fn a_statement_whose_program_is_gone_ends_on_the_server_too() {
    run(async {
        let (database, store) = new_store();
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                       AND usename = 'crm' AND wait_event_type = 'Lock'";
        let other = PostgresStore::open(options(&database.url)).unwrap();
        let locked = other.plain_client().await.unwrap();
        locked
            .client
            .batch_execute("BEGIN; LOCK TABLE companies")
            .await
            .unwrap();
        let unit = tokio::spawn({
            let store = Arc::clone(&store);
            async move { company(&store, "待").await }
        });
        let begun = Instant::now();
        while database.sql(waiting) == "0" {
            assert!(begun.elapsed() < Duration::from_secs(5));
        }
        unit.abort();
        drop(unit.await);
        drop(store);
        let begun = Instant::now();
        while database.sql(waiting) != "0" {
            assert!(begun.elapsed() < Duration::from_secs(8), "it waits on");
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
