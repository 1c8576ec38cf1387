//! What earlier releases left behind, after the update.

use crm_domain::activities::{MessageKind, NewActivity};
use crm_domain::ports::store::{Store as _, StoreError, StoreExt};
use crm_domain::ports::store_admin::StoreAdmin as _;
use crm_domain::receipts::{Kept, ReceiptOutcome, ReceiptState};
use crm_sqlite::SqliteStore;
use crm_testkit::fixtures::{customer_details, receipt, received, start};
use diesel::connection::SimpleConnection as _;

use crate::common::{new_store, number, options, other_program, run, texts};

/// Two customers' pages with one photo, and events that were of no use then.
async fn fill(store: &SqliteStore) {
    store
        .write::<_, StoreError, _>(|unit| {
            let mut kept = Vec::new();
            for body in ["photo", "postback", "message_hologram", "other_domain"] {
                match unit.edit_receipts().keep_receipt(&receipt(body, start()))? {
                    Kept::Added(id) => kept.push((id, body)),
                    Kept::Existed => panic!("{body} is new"),
                }
            }
            let (photo, _) = kept[0];
            for name in ["太郎", "花子"] {
                let details = customer_details("山田", name);
                let customer = unit.edit_customers().add_customer(&details, start())?;
                unit.edit_activities().add_activities(&[
                    NewActivity {
                        receipt_id: Some(photo),
                        kind: MessageKind::Image,
                        detail: Some(r#"{"type":"image","fileId":"jp1.1"}"#.to_owned()),
                        ..received(customer, "", start())
                    },
                    received(customer, "はい", start()),
                ])?;
            }
            let outcomes: Vec<ReceiptOutcome> = kept
                .iter()
                .map(|(id, reason)| ReceiptOutcome {
                    id: *id,
                    state: if *id == photo {
                        ReceiptState::Recorded
                    } else {
                        ReceiptState::Ignored
                    },
                    conversation_id: None,
                    reason: Some((*reason).to_owned()),
                })
                .collect();
            unit.edit_receipts().settle_receipts(&outcomes, start())?;
            Ok(())
        })
        .await
        .unwrap();
}

#[test]
fn photos_recorded_before_are_fetched_and_events_of_no_use_then_are_looked_at_again() {
    run(async {
        let (_folder, path, store) = new_store().await;
        fill(&store).await;
        drop(store);
        // As if the update that brings attachments had not run.
        other_program(&path)
            .batch_execute(
                "DROP TABLE attachments; DELETE FROM __diesel_schema_migrations WHERE version = '0011'",
            )
            .unwrap();
        let store = SqliteStore::open(options(&path)).unwrap();
        assert_eq!(store.migrate().await.unwrap(), ["0011_attachments"]);
        let waiting: Result<_, StoreError> =
            store.read(|unit| unit.attachments().waiting_attachments(9)).await;
        let waiting = waiting.unwrap();
        assert_eq!(waiting.len(), 1, "once, on however many pages it stands");
        assert_eq!(
            (waiting[0].file_id.as_str(), waiting[0].kind),
            ("jp1.1", MessageKind::Image)
        );
        assert_eq!(waiting[0].next_try_at, Some(start()));
        assert_eq!(
            texts(&path, "SELECT state FROM receipts ORDER BY id"),
            ["recorded", "pending", "pending", "ignored"]
        );
        assert_eq!(store.migrations_pending().await.unwrap(), 0);
        assert_eq!(
            number(&path, "SELECT count(*) FROM receipts WHERE settled_at IS NULL"),
            2
        );
    });
}
