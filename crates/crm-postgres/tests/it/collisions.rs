//! Units that meet: they run again, and each change is made once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crm_domain::companies::CompanyId;
use crm_domain::ports::store::{StoreError, StoreExt, UnitOfWork};
use crm_postgres::PostgresStore;
use crm_testkit::fixtures::{company_details, start};
use crm_testkit::postgres::TestDatabase;

use crate::common::{add_company, company, new_store, options, run};

/// Reads a company and writes it with one letter more.
fn lengthen(unit: &mut dyn UnitOfWork, id: CompanyId) -> Result<(), StoreError> {
    let found = unit.companies().company(id)?.unwrap();
    let name = format!("{}あ", found.details.name.as_str());
    unit.edit_companies()
        .revise_company(id, found.version, &company_details(&name), start())
        .map(drop)
}

async fn name_of(store: &PostgresStore, id: CompanyId) -> String {
    let found = store
        .read::<_, StoreError, _>(move |unit| unit.companies().company(id))
        .await;
    found.unwrap().unwrap().details.name.as_str().to_owned()
}

#[test]
fn two_units_in_opposite_order_are_both_stored() {
    run(async {
        let (_database, store) = new_store();
        let (first, second) = (
            company(&store, "一").await.unwrap(),
            company(&store, "二").await.unwrap(),
        );
        let ran = Arc::new(AtomicUsize::new(0));
        let both = [(first, second), (second, first)].map(|(one, other)| {
            let (store, ran) = (Arc::clone(&store), Arc::clone(&ran));
            tokio::spawn(async move {
                store
                    .write::<_, StoreError, _>(move |unit| {
                        lengthen(unit, one)?;
                        // The first time each waits until both have changed one, so that neither can go on.
                        if ran.fetch_add(1, Ordering::SeqCst) < 2 {
                            let begun = std::time::Instant::now();
                            while ran.load(Ordering::SeqCst) < 2 && begun.elapsed() < Duration::from_secs(3) {
                                std::thread::sleep(Duration::from_millis(5));
                            }
                        }
                        lengthen(unit, other)
                    })
                    .await
            })
        });
        for one in both {
            one.await.unwrap().unwrap();
        }
        assert!(ran.load(Ordering::SeqCst) > 2, "neither ran again");
        assert_eq!(name_of(&store, first).await, "一ああ");
        assert_eq!(name_of(&store, second).await, "二ああ");
    });
}

/// A stranger locks the second row and waits for the first, so that this unit cannot go on; six times.
#[test]
fn a_unit_that_stands_in_one_deadlock_after_the_other_is_stored_in_the_end() {
    const DEADLOCKS: usize = 6;
    run(async {
        let database = Arc::new(TestDatabase::new());
        // So the unit is always the one that PostgreSQL gives up.
        let name = database.name();
        database.sql(&format!(
            "ALTER ROLE crm IN DATABASE {name} SET deadlock_timeout = '50ms'"
        ));
        let store = Arc::new(PostgresStore::open(options(&database.url)).unwrap());
        let (first, second) = (
            company(&store, "一").await.unwrap(),
            company(&store, "二").await.unwrap(),
        );
        let ran = Arc::new(AtomicUsize::new(0));
        let (runs, held) = (Arc::clone(&ran), Arc::clone(&database));
        let unit = store.write::<_, StoreError, _>(move |unit| {
            lengthen(unit, first)?;
            if runs.fetch_add(1, Ordering::SeqCst) < DEADLOCKS {
                block(&held, second, first);
            }
            lengthen(unit, second)
        });
        unit.await.unwrap();
        assert_eq!(ran.load(Ordering::SeqCst), DEADLOCKS + 1);
        assert_eq!(name_of(&store, first).await, "一あ");
        assert_eq!(name_of(&store, second).await, "二あ");
    });
}

/// Somebody who locks `one` and waits for `other`; comes back when that is so.
fn block(database: &Arc<TestDatabase>, one: CompanyId, other: CompanyId) {
    const WAITS: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                         AND usename = 'postgres' AND wait_event_type = 'Lock'";
    let (stranger, one, other) = (Arc::clone(database), one.get(), other.get());
    std::thread::spawn(move || {
        stranger.sql(&format!(
            "BEGIN; UPDATE companies SET name = name WHERE id = {one}; \
             UPDATE companies SET name = name WHERE id = {other}; ROLLBACK"
        ))
    });
    let begun = std::time::Instant::now();
    while database.sql(WAITS) == "0" {
        assert!(begun.elapsed() < Duration::from_secs(3), "nobody is in the way");
    }
}

/// Makes `refuse` hold for the first two rows that come.
const TWICE: &str = "CREATE SEQUENCE refusals; GRANT ALL ON SEQUENCE refusals TO crm; \
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
    IF nextval('refusals') <= 2 THEN RAISE EXCEPTION 'refused' USING ERRCODE = TG_ARGV[0]; END IF; RETURN NEW; END $$;";

/// Under SERIALIZABLE somebody else's row can show itself as a value that is taken only when it is written.
#[test]
fn a_value_that_is_taken_by_surprise_is_tried_again() {
    run(async {
        let (database, store) = new_store();
        for code in ["23505", "23503"] {
            database.sql(&format!(
                "{TWICE} CREATE TRIGGER refuse BEFORE INSERT ON companies \
                 FOR EACH ROW EXECUTE FUNCTION refuse('{code}')"
            ));
            company(&store, "社").await.unwrap();
            database.sql("DROP TRIGGER refuse ON companies; DROP FUNCTION refuse; DROP SEQUENCE refusals");
        }
        assert_eq!(database.sql("SELECT count(*) FROM companies"), "2");
    });
}

#[test]
fn a_commit_that_the_server_refuses_is_known_not_to_be_stored_and_tried_again() {
    run(async {
        let (database, store) = new_store();
        database.sql(&format!(
            "{TWICE} CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON companies DEFERRABLE INITIALLY DEFERRED \
             FOR EACH ROW EXECUTE FUNCTION refuse('P0001')"
        ));
        company(&store, "社").await.unwrap();
        database.sql("ALTER SEQUENCE refusals INCREMENT -1000");
        let refused = company(&store, "無").await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        assert_eq!(database.sql("SELECT count(*) FROM companies"), "1");
    });
}

#[test]
fn of_many_who_change_the_same_nobody_is_lost() {
    run(async {
        let (_database, store) = new_store();
        let id = company(&store, "社").await.unwrap();
        let all: Vec<_> = (0..24)
            .map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    store
                        .write::<_, StoreError, _>(move |unit| lengthen(unit, id))
                        .await
                })
            })
            .collect();
        for one in all {
            one.await.unwrap().unwrap();
        }
        assert_eq!(name_of(&store, id).await.chars().count(), 25);
    });
}

/// What READ COMMITTED and REPEATABLE READ get wrong: each looks, finds nothing, and registers.
#[test]
fn of_many_who_register_if_there_is_none_one_registers() {
    run(async {
        let (database, store) = new_store();
        let all: Vec<_> = (0..8)
            .map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    store
                        .write::<_, StoreError, _>(|unit| {
                            let key = company_details("唯一").keys().name_key;
                            if unit.companies().companies_named(&key)?.is_empty() {
                                std::thread::sleep(Duration::from_millis(20));
                                add_company(unit, "唯一")?;
                            }
                            Ok(())
                        })
                        .await
                })
            })
            .collect();
        for one in all {
            one.await.unwrap().unwrap();
        }
        assert_eq!(database.sql("SELECT count(*) FROM companies"), "1");
    });
}

#[test]
fn a_panicking_unit_fails_alone_and_leaves_no_transaction_open() {
    run(async {
        let (database, store) = new_store();
        for _ in 0..12 {
            let failed = store
                .write::<(), StoreError, _>(|unit| {
                    add_company(unit, "無")?;
                    panic!("on purpose")
                })
                .await;
            assert!(matches!(failed, Err(StoreError::Unavailable(_))));
            company(&store, "有").await.unwrap();
        }
        assert_eq!(
            database.sql("SELECT count(*) FROM companies WHERE name = '有'"),
            "12"
        );
        assert_eq!(database.sql("SELECT count(*) FROM companies"), "12");
        let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'";
        assert_eq!(database.sql(open), "0");
    });
}

#[test]
fn who_cannot_get_a_connection_is_told_so_in_time() {
    run(async {
        let (_database, store) = new_store();
        let busy: Vec<_> = (0..8)
            .map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    store
                        .read::<(), StoreError, _>(|_| {
                            std::thread::sleep(Duration::from_secs(6));
                            Ok(())
                        })
                        .await
                })
            })
            .collect();
        while store.pool_state().in_use < 8 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let error = company(&store, "満").await.unwrap_err();
        let reason = std::error::Error::source(&error).unwrap().to_string();
        assert!(reason.contains("all 8 connections"), "{reason}");
        for one in busy {
            one.await.unwrap().unwrap();
        }
        company(&store, "空").await.unwrap();
    });
}
