//! Units of work that share a commit. What is stored is read by another program before any answer is believed.

use std::sync::Arc;
use std::sync::mpsc;

use crm_domain::companies::CompanyId;
use crm_domain::conversations::ConversationId;
use crm_domain::ports::store::{Store, StoreError, StoreExt, Verdict};
use crm_domain::receipts::Kept;
use crm_domain::sends::Queued;
use crm_sqlite::SqliteStore;
use crm_testkit::fixtures::{customer_of, new_send, receipt, start, talk, user};
use tokio::task::JoinHandle;

use crate::common::{add_company, company, new_store, number, run};

/// Keeps the writer in a unit until it is let go, so that what is asked meanwhile becomes one group.
async fn hold(store: &Arc<SqliteStore>) -> (mpsc::Sender<()>, JoinHandle<Result<(), StoreError>>) {
    let (let_go, held) = mpsc::channel::<()>();
    let (inside, entered) = tokio::sync::oneshot::channel();
    let mut inside = Some(inside);
    let store = Arc::clone(store);
    let held = tokio::spawn(async move {
        let unit = Box::new(move |_: &mut dyn crm_domain::ports::store::UnitOfWork| {
            inside.take().map(|inside| inside.send(()));
            held.recv().unwrap();
            Verdict::RollBack
        });
        store.run_write(unit).await
    });
    entered.await.unwrap();
    (let_go, held)
}

/// Starts them all behind a unit that holds the writer, then lets it go.
async fn in_one_group<T: Send + 'static>(
    store: &Arc<SqliteStore>,
    units: usize,
    unit: impl Fn(usize, Arc<SqliteStore>) -> JoinHandle<T>,
) -> Vec<T> {
    let (let_go, held) = hold(store).await;
    let tasks: Vec<_> = (0..units).map(|n| unit(n, Arc::clone(store))).collect();
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let_go.send(()).unwrap();
    held.await.unwrap().unwrap();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

#[test]
fn a_unit_that_panics_or_errs_fails_alone_among_others() {
    run(async {
        let (_folder, path, store) = new_store().await;
        let results = in_one_group(&store, 40, |n, store| {
            tokio::spawn(async move {
                store
                    .write(move |unit| {
                        let id = add_company(unit, &format!("会社{n}"))?;
                        assert!(n != 7, "the caller's code fails");
                        if n == 9 {
                            return Err(StoreError::Taken("name"));
                        }
                        Ok(id)
                    })
                    .await
            })
        })
        .await;
        for (n, result) in results.iter().enumerate() {
            match n {
                7 => assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}"),
                9 => assert!(matches!(result, Err(StoreError::Taken("name"))), "{result:?}"),
                _ => assert!(result.is_ok(), "{n}: {result:?}"),
            }
        }
        assert_eq!(number(&path, "SELECT count(*) FROM companies"), 38);
        assert_eq!(
            number(
                &path,
                "SELECT count(*) FROM companies WHERE name IN ('会社7', '会社9')"
            ),
            0
        );
        company(&store, "あとから").await.unwrap();
    });
}

#[test]
fn a_unit_whose_reference_dangles_fails_alone() {
    run(async {
        let (_folder, path, store) = new_store().await;
        let results = in_one_group(&store, 10, |n, store| {
            tokio::spawn(async move {
                store
                    .write::<_, StoreError, _>(move |unit| {
                        let id = add_company(unit, "会社")?;
                        let other = if n == 3 { CompanyId::new(99_999) } else { id };
                        let details = customer_of("山田", "太郎", other);
                        unit.edit_customers().add_customer(&details, start())
                    })
                    .await
                    .is_ok()
            })
        })
        .await;
        assert_eq!(results.iter().filter(|stored| **stored).count(), 9);
        assert_eq!(number(&path, "SELECT count(*) FROM companies"), 9);
        assert_eq!(number(&path, "SELECT count(*) FROM customers"), 9);
    });
}

#[test]
fn an_answer_means_that_another_program_sees_it() {
    run(async {
        let (_folder, path, store) = new_store().await;
        for n in 1..=20 {
            let id = company(&store, "会社").await.unwrap();
            assert_eq!(number(&path, "SELECT max(id) FROM companies"), id.get());
            assert_eq!(number(&path, "SELECT count(*) FROM companies"), n);
        }
    });
}

#[test]
fn a_caller_who_goes_away_changes_nothing() {
    run(async {
        let (_folder, path, store) = new_store().await;
        let (let_go, held) = hold(&store).await;
        let gone = Arc::clone(&store);
        let task = tokio::spawn(async move { company(&gone, "会社").await });
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        task.abort();
        let_go.send(()).unwrap();
        held.await.unwrap().unwrap();
        store.ping().await.unwrap();
        assert_eq!(number(&path, "SELECT count(*) FROM companies"), 1);
    });
}

#[test]
fn what_waits_is_stored_before_the_store_is_closed() {
    run(async {
        let (folder, path, store) = new_store().await;
        let (let_go, held) = hold(&store).await;
        let waiting = Arc::clone(&store);
        let task = tokio::spawn(async move { company(&waiting, "会社").await });
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let_go.send(()).unwrap();
        held.await.unwrap().unwrap();
        task.await.unwrap().unwrap();
        drop(Arc::into_inner(store).unwrap());
        let left: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(left, ["crm.db"], "the log was taken into the file");
        assert_eq!(number(&path, "SELECT count(*) FROM companies"), 1);
    });
}

#[test]
fn of_many_at_once_each_key_is_stored_exactly_once() {
    run(async {
        let (_folder, path, store) = new_store().await;
        let results = in_one_group(&store, 64, |n, store| {
            tokio::spawn(async move {
                store
                    .write::<_, StoreError, _>(move |unit| {
                        let kept = unit.edit_receipts().keep_receipt(&receipt("{}", start()))?;
                        let keys = [talk(&user(1)), talk(&user(2))];
                        let ids = unit.edit_conversations().open_conversations(&keys, start())?;
                        let to = ids.first().copied().unwrap_or(ConversationId::new(0));
                        let words = format!("{n}番目");
                        let queued = unit
                            .edit_sends()
                            .add_send(&new_send("key", to, &words, start()))?;
                        Ok((kept, queued, ids))
                    })
                    .await
                    .unwrap()
            })
        })
        .await;
        let kept = results.iter().filter(|(kept, ..)| matches!(kept, Kept::Added(_)));
        let queued = results
            .iter()
            .filter(|(_, queued, _)| matches!(queued, Queued::Added(_)));
        assert_eq!((kept.count(), queued.count()), (1, 1));
        assert!(results.iter().all(|(.., ids)| ids == &results[0].2));
        for table in ["receipts", "conversations", "sends"] {
            let rows = number(&path, &format!("SELECT count(*) FROM {table}"));
            assert_eq!(rows, if table == "conversations" { 2 } else { 1 }, "{table}");
        }
    });
}
