//! Servers that freeze, die, are promoted and replicate.

use std::time::{Duration, Instant};

use crm_domain::ports::store::{Store, StoreError, StoreExt};
use crm_domain::ports::store_admin::StoreAdmin;
use crm_postgres::{PostgresOptions, PostgresStore};
use crm_testkit::postgres::Cluster;

use crate::common::{company, options, run};

async fn store_on(url: &str) -> PostgresStore {
    let store = PostgresStore::open(options(url)).unwrap();
    store.migrate().await.unwrap();
    store
}

/// Tries until it works; says how long it did not.
async fn until_stored(store: &PostgresStore, most: Duration) -> Duration {
    let begun = Instant::now();
    loop {
        match company(store, "再").await {
            Ok(_) => return begun.elapsed(),
            Err(error) => assert!(begun.elapsed() < most, "{error:?} after {:?}", begun.elapsed()),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn both(one: &Cluster, other: &Cluster) -> String {
    format!(
        "postgres://crm@127.0.0.1:{},127.0.0.1:{}/crm?connect_timeout=2",
        one.port(),
        other.port()
    )
}

#[test]
fn a_frozen_server_gives_an_error_in_time_and_goes_on_when_thawed() {
    run(async {
        let cluster = Cluster::start();
        let store = store_on(&cluster.url("crm")).await;
        cluster.freeze();
        let begun = Instant::now();
        let (write, ping) = tokio::join!(company(&store, "凍"), store.ping());
        assert!(matches!(write, Err(StoreError::Unavailable(_))), "{write:?}");
        assert!(ping.is_err());
        assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
        cluster.thaw();
        until_stored(&store, Duration::from_secs(10)).await;
        assert_eq!(cluster.sql("crm", "SELECT count(*) FROM companies"), "1");
    });
}

#[test]
fn a_restarted_server_is_used_again() {
    run(async {
        let cluster = Cluster::start();
        let store = store_on(&cluster.url("crm")).await;
        company(&store, "前").await.unwrap();
        cluster.stop();
        assert!(matches!(
            company(&store, "中").await,
            Err(StoreError::Unavailable(_))
        ));
        cluster.start_again();
        until_stored(&store, Duration::from_secs(5)).await;
        cluster.kill();
        cluster.start_again();
        until_stored(&store, Duration::from_secs(5)).await;
        assert_eq!(cluster.sql("crm", "SELECT count(*) FROM companies"), "3");
    });
}

#[test]
fn a_killed_primary_is_left_for_the_promoted_standby() {
    run(async {
        let primary = Cluster::start();
        let standby = Cluster::standby_of(&primary, "second");
        primary.synchronous("second");
        let store = store_on(&both(&primary, &standby)).await;
        company(&store, "前").await.unwrap();
        primary.kill();
        standby.promote();
        let gap = until_stored(&store, Duration::from_secs(15)).await;
        assert!(gap < Duration::from_secs(15), "{gap:?}");
        // What was answered before is there.
        assert_eq!(
            standby.sql("crm", "SELECT count(*) FROM companies WHERE name = '前'"),
            "1"
        );
    });
}

#[test]
fn a_frozen_primary_is_left_for_the_promoted_standby() {
    run(async {
        let primary = Cluster::start();
        let standby = Cluster::standby_of(&primary, "second");
        let store = store_on(&both(&primary, &standby)).await;
        company(&store, "前").await.unwrap();
        primary.wait_for(&standby);
        primary.freeze();
        standby.promote();
        until_stored(&store, Duration::from_secs(15)).await;
        assert_eq!(standby.sql("crm", "SELECT count(*) FROM companies"), "2");
    });
}

/// A program that wants the database for itself must hear of the servers that work on the new primary.
#[test]
fn who_holds_the_database_holds_it_on_the_promoted_standby_too() {
    run(async {
        let primary = Cluster::start();
        let standby = Cluster::standby_of(&primary, "second");
        let store = store_on(&both(&primary, &standby)).await;
        let _hold = store.hold_as_server().await.unwrap().unwrap();
        primary.wait_for(&standby);
        primary.freeze();
        standby.promote();
        let other = PostgresStore::open(options(&standby.url("crm"))).unwrap();
        let begun = Instant::now();
        while !other.is_held().await.unwrap() {
            assert!(begun.elapsed() < Duration::from_mins(1), "the hold stayed behind");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        assert!(other.hold_alone().await.unwrap().is_none());
    });
}

#[test]
fn readings_that_may_be_old_go_to_the_replica_while_it_answers() {
    run(async {
        let primary = Cluster::start();
        let standby = Cluster::standby_of(&primary, "second");
        let store = PostgresStore::open(PostgresOptions {
            replica: Some(standby.url("crm")),
            ..options(&primary.url("crm"))
        })
        .unwrap();
        store.migrate().await.unwrap();
        company(&store, "社").await.unwrap();
        primary.wait_for(&standby);
        let reads = async || {
            let read = store.read_stale::<_, StoreError, _>(|unit| {
                let page = unit.companies().companies_named("社")?;
                Ok(page.len())
            });
            read.await.unwrap()
        };
        assert_eq!(reads().await, 1);
        let there = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'crm-test'";
        assert_ne!(standby.sql("postgres", there), "0");
        standby.stop();
        assert_eq!(reads().await, 1);
        let begun = Instant::now();
        assert_eq!(reads().await, 1);
        assert!(
            begun.elapsed() < Duration::from_secs(1),
            "a dead replica is asked each time"
        );
    });
}
