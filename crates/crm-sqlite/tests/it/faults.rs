//! What SQLite ends by itself, and what other programs do to the file.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crm_domain::ports::store::{Store, StoreError, StoreExt};
use crm_domain::ports::store_admin::StoreAdmin;
use crm_domain::receipts::{Kept, NewReceipt};
use crm_sqlite::SqliteStore;
use crm_testkit::fixtures::{receipt, start};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::common::{add_company, company, new_folder, new_store, number, options, other_program, run};

fn large(name: &str, bytes: usize) -> NewReceipt {
    NewReceipt {
        body: vec![b'x'; bytes],
        ..receipt(name, start())
    }
}

/// A store that takes about so many bytes more.
async fn nearly_full(path: &std::path::Path, bytes: i64) -> SqliteStore {
    let store = SqliteStore::open(options(path)).unwrap();
    store.migrate().await.unwrap();
    let pages = number(path, "SELECT page_count FROM pragma_page_count()") + bytes / 4096;
    drop(store);
    SqliteStore::open_limited(options(path), u32::try_from(pages).unwrap()).unwrap()
}

#[test]
fn when_the_disk_fills_in_mid_group_every_answer_is_true() {
    run(async {
        let (_folder, path) = new_folder();
        let store = Arc::new(nearly_full(&path, 200_000).await);
        let tasks: Vec<_> = (0..60)
            .map(|n| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let receipt = large(&format!("{n}"), 10_000);
                    store
                        .write::<_, StoreError, _>(move |unit| unit.edit_receipts().keep_receipt(&receipt))
                        .await
                })
            })
            .collect();
        let mut stored = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => stored += 1,
                Err(error) => assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}"),
            }
        }
        assert_eq!(number(&path, "SELECT count(*) FROM receipts"), stored);
        assert!(stored > 5 && stored < 60, "{stored} were stored");
        store.ping().await.unwrap();
    });
}

#[test]
fn the_unit_that_does_not_fit_fails_and_its_neighbours_are_stored() {
    run(async {
        let (_folder, path) = new_folder();
        let store = Arc::new(nearly_full(&path, 200_000).await);
        let tasks: Vec<_> = (0..20)
            .map(|n| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let receipt = large(&format!("{n}"), if n == 5 { 900_000 } else { 100 });
                    store
                        .write::<_, StoreError, _>(move |unit| unit.edit_receipts().keep_receipt(&receipt))
                        .await
                        .is_ok()
                })
            })
            .collect();
        for (n, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.unwrap(), n != 5, "unit {n}");
        }
        assert_eq!(number(&path, "SELECT count(*) FROM receipts"), 19);
    });
}

#[test]
fn a_spent_unit_touches_nothing_more_and_cannot_be_stored() {
    run(async {
        let (_folder, path) = new_folder();
        let store = nearly_full(&path, 100_000).await;
        let result = store
            .write::<_, StoreError, _>(|unit| {
                add_company(unit, "前")?;
                let failed = unit.edit_receipts().keep_receipt(&large("a", 900_000));
                assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
                let again = add_company(unit, "後");
                assert!(matches!(again, Err(StoreError::Unavailable(_))), "{again:?}");
                assert!(unit.companies().companies_named("前").is_err());
                Ok(())
            })
            .await;
        assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
        assert_eq!(number(&path, "SELECT count(*) FROM companies"), 0);
        company(&store, "次").await.unwrap();
    });
}

#[test]
fn a_file_locked_by_another_program_is_waited_for_and_then_unavailable() {
    run(async {
        let (_folder, path, store) = new_store().await;
        let mut other = other_program(&path);
        other.batch_execute("BEGIN IMMEDIATE").unwrap();
        let asked = Instant::now();
        let refused = company(&store, "会社").await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        assert!(asked.elapsed() < Duration::from_secs(10));
        assert!(store.ping().await.is_err());
        let read: Result<_, StoreError> = store.read(|unit| unit.companies().companies_named("会社")).await;
        assert!(read.unwrap().is_empty(), "readers go on");

        let waiting = Arc::clone(&store);
        let task = tokio::spawn(async move { company(&waiting, "会社").await });
        tokio::time::sleep(Duration::from_millis(300)).await;
        other.batch_execute("COMMIT").unwrap();
        task.await.unwrap().unwrap();
        assert_eq!(number(&path, "SELECT count(*) FROM companies"), 1);
    });
}

#[test]
fn a_long_write_of_another_program_is_seen_whole_by_readers_or_not_at_all() {
    run(async {
        let (_folder, path, store) = new_store().await;
        let id = company(&store, "会社").await.unwrap();
        let other = path.clone();
        let seen = store
            .read::<_, StoreError, _>(move |unit| {
                let before = unit.companies().company(id)?.is_some();
                let mut other = other_program(&other);
                diesel::sql_query("DELETE FROM companies")
                    .execute(&mut other)
                    .unwrap();
                Ok((before, unit.companies().company(id)?.is_some()))
            })
            .await;
        assert_eq!(seen.unwrap(), (true, true), "one view");
        assert_eq!(number(&path, "SELECT count(*) FROM companies"), 0);
    });
}

#[test]
fn a_file_that_is_no_database_or_not_there_is_refused_with_a_sentence() {
    let (folder, path) = new_folder();
    std::fs::write(&path, "顧客名簿".repeat(1_000)).unwrap();
    let missing = folder.path().join("nowhere").join("crm.db");
    let absent = folder.path().join("absent.db");
    let mut not_created = options(&absent);
    not_created.create = false;
    for options in [options(&path), options(&missing), not_created] {
        let Err(StoreError::Unavailable(source)) = SqliteStore::open(options) else {
            panic!("it was opened");
        };
        assert!(source.to_string().contains("cannot be opened"), "{source}");
    }
    assert!(!absent.exists());
}

/// Runs this test again in a process whose files cannot grow beyond 2 MiB.
fn again_with_small_files(test: &str) {
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 4096; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn a_commit_that_fails_is_uncertain_and_every_answer_stays_true() {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    if limits
        .lines()
        .any(|line| line.starts_with("Max file size") && line.contains("unlimited"))
    {
        again_with_small_files("faults::a_commit_that_fails_is_uncertain_and_every_answer_stays_true");
        return;
    }
    run(async {
        let (_folder, path, store) = new_store().await;
        let mut kept = Vec::new();
        let mut failed = None;
        for n in 0..200 {
            let receipt = large(&format!("{n}"), 50_000);
            let again = receipt.clone();
            let unit = store
                .write::<_, StoreError, _>(move |unit| unit.edit_receipts().keep_receipt(&receipt))
                .await;
            match unit {
                Ok(Kept::Added(id)) => kept.push(id.get()),
                Ok(Kept::Existed) => panic!("nothing is sent twice"),
                Err(error) => {
                    failed = Some((error, again));
                    break;
                }
            }
        }
        let (error, receipt) = failed.unwrap();
        assert!(matches!(error, StoreError::Uncertain), "{error:?}");
        let waiting = store
            .read::<_, StoreError, _>(|unit| unit.receipts().pending_receipts(1_000))
            .await
            .unwrap();
        let waiting: Vec<_> = waiting.iter().map(|pending| pending.id.get()).collect();
        assert!(waiting.starts_with(&kept), "what was answered is there");
        let rows = number(&path, "SELECT count(*) FROM receipts");
        assert_eq!(rows, i64::try_from(waiting.len()).unwrap());
        // Looked up by its key before anything is said: it is there or it is not, and asking again doubles nothing.
        let again = store
            .write::<_, StoreError, _>(move |unit| unit.edit_receipts().keep_receipt(&receipt))
            .await;
        let after = number(&path, "SELECT count(*) FROM receipts");
        match again {
            Ok(Kept::Existed) => assert_eq!(after, rows),
            Ok(Kept::Added(_)) => assert_eq!(after, rows + 1),
            Err(_) => assert!(after <= rows + 1),
        }
    });
}
