//! Opening a store: what is wrong is told in a sentence that holds no password.

use std::time::Duration;

use crm_domain::ports::store::{Store, StoreError};
use crm_domain::ports::store_admin::StoreAdmin;
use crm_domain::ports::vault::KeyShelf;
use crm_postgres::{PostgresStore, unapplied_migrations};
use crm_testkit::postgres::{Cluster, TestDatabase};

use crate::common::{company, new_store, options, run};

fn refusal(url: &str) -> String {
    let Err(error) = PostgresStore::open(options(url)) else {
        panic!("it was opened")
    };
    std::error::Error::source(&error).unwrap().to_string()
}

#[test]
fn nobody_who_listens_is_told() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let told = refusal(&format!("postgres://crm:geheim@127.0.0.1:{port}/crm"));
    assert!(
        told.contains(&format!("no PostgreSQL answers at 127.0.0.1:{port}")),
        "{told}"
    );
    assert!(!told.contains("geheim"));
}

#[test]
fn a_database_that_is_not_there_is_told() {
    let database = TestDatabase::empty();
    let told = refusal(&database.url.replace(database.name(), "nowhere"));
    assert!(told.contains("there is no database nowhere"), "{told}");
}

#[test]
fn a_wrong_password_is_told_and_the_right_one_opens() {
    let cluster = Cluster::start();
    cluster.sql(
        "postgres",
        "CREATE ROLE guarded LOGIN PASSWORD 'geheim'; GRANT CREATE ON DATABASE crm TO guarded",
    );
    cluster.sql("crm", "GRANT ALL ON SCHEMA public TO guarded");
    let hba = cluster.data().join("pg_hba.conf");
    let rules = std::fs::read_to_string(&hba).unwrap();
    std::fs::write(
        &hba,
        format!("host all guarded 127.0.0.1/32 scram-sha-256\n{rules}"),
    )
    .unwrap();
    cluster.reload();
    let url = |password: &str| format!("postgres://guarded:{password}@127.0.0.1:{}/crm", cluster.port());
    let told = refusal(&url("falsch"));
    assert!(told.contains("does not let the user guarded in"), "{told}");
    assert!(!told.contains("falsch"));
    PostgresStore::open(options(&url("geheim"))).unwrap();
}

#[test]
fn several_who_migrate_at_once_do_it_once() {
    run(async {
        let database = TestDatabase::empty();
        let stores = [(); 3].map(|()| PostgresStore::open(options(&database.url)).unwrap());
        let all = unapplied_migrations().unwrap();
        let [first, second, third] = &stores;
        assert_eq!(first.migrations_pending().await.unwrap(), all.len());
        let (one, two, three) = tokio::join!(first.migrate(), second.migrate(), third.migrate());
        let mut done = [one.unwrap().len(), two.unwrap().len(), three.unwrap().len()];
        done.sort_unstable();
        assert_eq!(done, [0, 0, all.len()]);
        assert_eq!(second.migrations_pending().await.unwrap(), 0);
        let status = first.migrations().await.unwrap();
        assert!(status.len() == all.len() && status.iter().all(|one| one.applied));
        company(third, "社").await.unwrap();
    });
}

#[test]
fn a_migration_that_fails_leaves_the_database_as_it_was() {
    run(async {
        let database = TestDatabase::empty();
        // In the way of one of the later ones.
        database.sql("CREATE TABLE audit (id INT); ALTER TABLE audit OWNER TO crm");
        let store = PostgresStore::open(options(&database.url)).unwrap();
        let error = store.migrate().await.unwrap_err();
        let reason = std::error::Error::source(&error).unwrap().to_string();
        assert!(reason.contains("nothing was changed"), "{reason}");
        let tables = "SELECT string_agg(relname, ' ') FROM pg_class \
                      WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
        assert_eq!(database.sql(tables), "audit");
    });
}

/// Also in the middle of a unit, with every connection of the pool in use, and on the threads of a runtime.
#[test]
fn the_shelf_of_keys_answers_everywhere() {
    run(async {
        let (_database, store) = new_store();
        assert!(store.data_keys().unwrap().is_empty());
        let units: Vec<_> = (0..8)
            .map(|_| {
                let (store, inside) = (store.clone(), store.clone());
                tokio::spawn(async move {
                    use crm_domain::ports::store::StoreExt;
                    store
                        .write::<_, StoreError, _>(move |_| {
                            std::thread::sleep(Duration::from_millis(50));
                            inside.key_fingerprint()
                        })
                        .await
                })
            })
            .collect();
        for unit in units {
            assert_eq!(unit.await.unwrap().unwrap(), None);
        }
        assert_eq!(store.named_secret("nothing").unwrap(), None);
    });
}

#[test]
fn the_pool_and_the_shelf_have_names_in_the_lists_of_the_server() {
    run(async {
        let (database, store) = new_store();
        company(&store, "社").await.unwrap();
        let state = store.pool_state();
        assert_eq!((state.in_use, state.most), (0, 8));
        assert!(state.idle >= 1);
        let names = "SELECT DISTINCT application_name FROM pg_stat_activity \
                     WHERE datname = current_database() AND usename = 'crm'";
        assert_eq!(database.sql(names), "crm-test");
    });
}

#[test]
fn scrubbing_takes_what_was_deleted_out_of_the_files() {
    run(async {
        let (database, store) = new_store();
        company(&store, "消される株式会社").await.unwrap();
        database.sql("DELETE FROM companies");
        store.scrub().await.unwrap();
        let dead = "SELECT pg_relation_size('companies')";
        assert_eq!(database.sql(dead), "0");
    });
}

/// A page that begins behind a key must come in the order in which keys are compared here: byte by byte, on a cluster of
/// any language.
#[test]
fn what_orders_lists_is_ordered_by_its_bytes() {
    let database = TestDatabase::new();
    let ordered = "SELECT table_name || '.' || column_name FROM information_schema.columns \
        WHERE (column_name IN ('sort_key', 'name_key', 'kana_key', 'email_key', 'phone_key') \
            OR (table_name, column_name) IN (('members', 'name'), ('teams', 'name'))) \
        AND table_schema = 'public' AND collation_name IS DISTINCT FROM 'C'";
    assert_eq!(database.sql(ordered), "");
}
