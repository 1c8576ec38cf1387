//! Backups while others write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crm_domain::ports::store::{StoreError, StoreExt as _};
use crm_testkit::fixtures::{customer_of, receipt};

use super::world::{back_up, open, settings};
use crate::backups::{Luggage, verify};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_made_while_four_write_is_of_one_moment() {
    let temp = tempfile::tempdir().unwrap();
    let settings = settings(&temp.path().join("data"), &[]);
    let parts = open(&settings).await;
    let go_on = Arc::new(AtomicBool::new(true));
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (store, going) = (Arc::clone(&parts.store), Arc::clone(&go_on));
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
                }
            })
        })
        .collect();
    let mut last = 0;
    for number in 0..3 {
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
