//! Callbacks kept one by one, and recorded in batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crm_domain::activities::{Direction, MessageKind, NewActivity};
use crm_domain::conversations::{ConversationKey, ConversationKind, LinkState};
use crm_domain::ports::store::{StoreError, StoreExt, UnitOfWork};
use crm_domain::receipts::{NewReceipt, PendingReceipt, ReceiptOutcome, ReceiptState};
use crm_domain::values::LineUserId;
use crm_sqlite::SqliteStore;
use crm_testkit::fixtures::{BOT, customer_on, start, user};

use crate::spread;

static COUNT: AtomicU64 = AtomicU64::new(0);

fn receipt() -> NewReceipt {
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut digest = [0; 16];
    digest[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
    let at = start().plus(time::Duration::milliseconds(
        i64::try_from(number / 20).unwrap_or(0),
    ));
    NewReceipt {
        bot: BOT.to_owned(),
        issued: at.to_string(),
        digest,
        body: vec![b'x'; 300],
        received_at: at,
    }
}

pub(crate) async fn receipts(store: &Arc<SqliteStore>, callers: usize, long: Duration) {
    let began = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                let mut times = Vec::new();
                while began.elapsed() < long {
                    let (receipt, asked) = (receipt(), Instant::now());
                    store
                        .write::<_, StoreError, _>(move |unit| unit.edit_receipts().keep_receipt(&receipt))
                        .await
                        .expect("it is kept");
                    times.push(asked.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.expect("no panic"));
    }
    let rate = per_second(times.len(), began.elapsed());
    println!("keep_receipt, {callers} callers: {rate:.0}/s, {}", spread(times));
}

/// Records what [`receipts`] kept, 256 callbacks in a unit, as the recorder of the product does.
pub(crate) async fn recorder(store: &Arc<SqliteStore>, batches: usize) {
    let people = 1_000;
    store
        .write::<_, StoreError, _>(move |unit| {
            for n in 0..people {
                let details = customer_on("山田", "太郎", &user(n));
                unit.edit_customers().add_customer(&details, start())?;
            }
            Ok(())
        })
        .await
        .expect("customers");
    let (began, mut messages) = (Instant::now(), 0);
    for _ in 0..batches {
        messages += store
            .write::<_, StoreError, _>(move |unit| record(unit, people))
            .await
            .expect("it is recorded");
    }
    let rate = per_second(messages, began.elapsed());
    println!("recorder, 256 callbacks a unit: {rate:.0} messages/s of {messages}");
}

fn record(unit: &mut dyn UnitOfWork, people: u32) -> Result<usize, StoreError> {
    let pending = unit.receipts().pending_receipts(256)?;
    let who = |receipt: &PendingReceipt| {
        user(u32::try_from(receipt.id.get() * 7 % i64::from(people)).unwrap_or_default())
    };
    let users: Vec<LineUserId> = pending.iter().map(who).collect();
    let keys: Vec<_> = users
        .iter()
        .map(|address| ConversationKey {
            bot: BOT.to_owned(),
            address: address.clone(),
            kind: ConversationKind::Person,
        })
        .collect();
    let conversations = unit.edit_conversations().open_conversations(&keys, start())?;
    let carriers = unit.customers().customers_carrying(&users)?;
    let mut activities = Vec::new();
    let mut outcomes = Vec::new();
    for ((receipt, user), conversation) in pending.iter().zip(&users).zip(conversations) {
        let carriers = carriers.iter().filter(|(id, _)| id == user);
        activities.extend(carriers.map(|(_, customer)| NewActivity {
            customer_id: *customer,
            conversation_id: Some(conversation),
            receipt_id: Some(receipt.id),
            send_id: None,
            note_id: None,
            late: false,
            direction: Direction::Received,
            kind: MessageKind::Text,
            message: "お世話になっております。見積書をお送りいただけますでしょうか。".to_owned(),
            detail: None,
            timestamp: receipt.received_at,
        }));
        unit.edit_conversations()
            .set_link(conversation, LinkState::Active, receipt.received_at)?;
        outcomes.push(ReceiptOutcome {
            id: receipt.id,
            state: ReceiptState::Recorded,
            conversation_id: Some(conversation),
            reason: None,
        });
    }
    unit.edit_activities().add_activities(&activities)?;
    unit.edit_receipts().settle_receipts(&outcomes, start())?;
    Ok(activities.len())
}

fn per_second(count: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / took.as_secs_f64()
}
