//! Units that meet: they run again, and each change is made once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crm_domain::companies::CompanyId;
use crm_domain::ports::store::{StoreError, StoreExt, UnitOfWork};
use crm_postgres::PostgresStore;
use crm_testkit::fixtures::{company_details, start};

use crate::common::{add_company, company, new_store, run};

/// Reads a company and writes it with one letter more.
fn lengthen(unit: &mut dyn UnitOfWork, id: CompanyId) -> Result<(), StoreError> {
    let found = unit.companies().company(id)?.unwrap();
    let name = format!("{}あ", found.details.name.as_str());
    unit.edit_companies()
        .revise_company(id, found.version, &company_details(&name), start())
        .map(drop)
}

async fn name(store: &PostgresStore, id: CompanyId) -> String {
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
        assert_eq!(name(&store, first).await, "一ああ");
        assert_eq!(name(&store, second).await, "二ああ");
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
        assert_eq!(name(&store, id).await.chars().count(), 25);
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
