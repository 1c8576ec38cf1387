//! Backups while others write.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crm_domain::ports::blobs::Blobs as _;
use crm_domain::ports::store::{StoreError, StoreExt as _};
use crm_testkit::fixtures::{customer_of, receipt};

use super::world::{back_up, open, receive, settings, verify};
use crate::backups::Luggage;
use crate::backups::taking::beating;
use crate::settings::Settings;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_made_while_four_write_is_of_one_moment() {
    let temp = tempfile::tempdir().unwrap();
    let settings = settings(&temp.path().join("data"), &[]);
    let parts = open(&settings).await;
    let go_on = Arc::new(AtomicBool::new(true));
    let written = Arc::new(tokio::sync::Semaphore::new(0));
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (store, going) = (Arc::clone(&parts.store), Arc::clone(&go_on));
            let written = Arc::clone(&written);
            tokio::spawn(async move {
                let mut number = 0;
                while going.load(Ordering::Relaxed) {
                    number += 1;
                    let at = crm_domain::instant::Instant::from_unix_millis(1_751_942_746_446);
                    let body = format!("{writer} {number}");
                    // A company, its customer and a callback are one unit: no backup has one without the others.
                    let three = store.write::<_, StoreError, _>(move |uow| {
                        let details = crm_testkit::fixtures::company_details(&body);
                        let company = uow.edit_companies().add_company(&details, at)?;
                        uow.edit_customers()
                            .add_customer(&customer_of("山田", "太郎", company), at)?;
                        uow.edit_receipts().keep_receipt(&receipt(&body, at))
                    });
                    three.await.unwrap();
                    written.add_permits(1);
                }
            })
        })
        .collect();
    let mut last = 0;
    for number in 0..3 {
        // At least as many as there were, and one.
        written
            .acquire_many(u32::try_from(last).unwrap() + 1)
            .await
            .unwrap()
            .forget();
        let file = back_up(
            &settings,
            &parts,
            &temp.path().join(format!("backup{number}")),
            None,
        )
        .await;
        let counts = verify(&file, None).unwrap().manifest.counts;
        assert!(counts["companies"] > last);
        assert_eq!(counts["companies"], counts["customers"]);
        assert_eq!(counts["companies"], counts["receipts"]);
        last = counts["companies"];
    }
    go_on.store(false, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Files arrive and are deleted while backups are taken; every file that one names is in it, as it was.
async fn files_come_and_go(settings: Settings, folder: &Path) {
    let parts = Arc::new(open(&settings).await);
    let going = Arc::new(AtomicBool::new(true));
    let there = Arc::new(Mutex::new(VecDeque::new()));
    // Every second one stays.
    let staying = Arc::new(Mutex::new(Vec::new()));
    let (to, kept, go_on) = (Arc::clone(&parts), Arc::clone(&there), Arc::clone(&going));
    let stays = Arc::clone(&staying);
    let arriving = tokio::spawn(async move {
        let mut number = 0_u32;
        while go_on.load(Ordering::Relaxed) {
            number += 1;
            // More than a row of a table takes.
            let content = number.to_le_bytes().repeat(90_000);
            let blob = receive(&to, &format!("file {number}"), content).await;
            if number.is_multiple_of(2) {
                kept.lock().unwrap().push_back(blob.hash);
            } else {
                stays.lock().unwrap().push(blob.hash.to_string());
            }
        }
        number
    });
    let (from, kept, go_on) = (Arc::clone(&parts), Arc::clone(&there), Arc::clone(&going));
    let deleting = tokio::spawn(async move {
        let mut count = 0;
        while go_on.load(Ordering::Relaxed) {
            let oldest = {
                let mut kept = kept.lock().unwrap();
                if kept.len() > 4 { kept.pop_front() } else { None }
            };
            let Some(hash) = oldest else {
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            };
            let blobs = from.place.blobs(&from.settings.data, &from.vault);
            assert!(blobs.remove(&hash).await.unwrap());
            count += 1;
        }
        count
    });
    for number in 0..3 {
        for _ in 0..2_000 {
            if there.lock().unwrap().len() > 4 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let file = folder.join(format!("backup{number}"));
        let stayed = staying.lock().unwrap().clone();
        back_up(&settings, &parts, &file, None).await;
        let manifest = verify(&file, None).unwrap().manifest;
        let has = |hash: &String| manifest.has(&crm_archive::names::of_file(hash));
        assert!(!stayed.is_empty() && stayed.iter().all(has));
        let counted = manifest.files() + manifest.missing_files.len();
        assert_eq!(counted as u64, manifest.counts["attachments"]);
    }
    going.store(false, Ordering::Relaxed);
    let (arrived, deleted): (u32, u32) = (arriving.await.unwrap(), deleting.await.unwrap());
    assert!(arrived > 8 && deleted > 0, "{arrived} {deleted}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn files_come_and_go_beside_a_file() {
    let temp = tempfile::tempdir().unwrap();
    files_come_and_go(settings(&temp.path().join("data"), &[]), temp.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn files_come_and_go_on_a_server() {
    let temp = tempfile::tempdir().unwrap();
    let database = crm_testkit::postgres::TestDatabase::empty();
    let server = super::elsewhere::on_server(&temp.path().join("data"), &database, super::world::KEY);
    files_come_and_go(server, temp.path()).await;
}

#[tokio::test]
async fn of_two_backups_at_once_one_is_taken() {
    let temp = tempfile::tempdir().unwrap();
    let settings = settings(&temp.path().join("data"), &[]);
    let parts = open(&settings).await;
    let operator = super::world::operator();
    let id = parts
        .crm
        .begin_backup(&operator, false, "elsewhere")
        .await
        .unwrap()
        .unwrap();
    let luggage = Luggage::of(&settings);
    let file = temp.path().join("backup");
    let refused = parts.back_up(&operator, &file, None, &luggage).await.unwrap_err();
    assert!(
        matches!(refused, crate::backups::BackupFailure::Running),
        "{refused}"
    );
    let failed = crm_domain::ports::backup_shelf::ShelfProblem::new("disk_full", "");
    parts
        .crm
        .end_backup(&operator, id, false, Err(failed))
        .await
        .unwrap();
    parts.back_up(&operator, &file, None, &luggage).await.unwrap();
}

#[tokio::test]
async fn a_backup_that_shows_that_it_is_alive_goes_on() {
    let beats = tokio::sync::Semaphore::new(0);
    let taking = async {
        drop(beats.acquire_many(3).await.unwrap());
        "taken"
    };
    let every = Duration::from_millis(1);
    let outcome = beating(every, taking, async || beats.add_permits(1)).await;
    assert_eq!(outcome, "taken");
}
