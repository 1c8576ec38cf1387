//! Callbacks.

use std::collections::HashSet;
use std::sync::Arc;

use crm_domain::instant::Instant;
use crm_domain::receipts::{Kept, NewReceipt, PendingReceipt, ReceiptId, ReceiptOutcome, ReceiptState};

use super::AnyStore;
use super::steps::{add_activities, add_customer, at_once, open_talk, read, write};
use crate::fixtures::{BOT, after, customer_details, receipt, received, start, user};

async fn keep(store: &AnyStore, new: NewReceipt) -> Kept {
    write(store, move |unit| unit.edit_receipts().keep_receipt(&new)).await
}

async fn keep_new(store: &AnyStore, body: &str, at: Instant) -> ReceiptId {
    match keep(store, receipt(body, at)).await {
        Kept::Added(id) => id,
        Kept::Existed => panic!("{body} is new"),
    }
}

async fn pending(store: &AnyStore, limit: usize) -> Vec<PendingReceipt> {
    read(store, move |unit| unit.receipts().pending_receipts(limit)).await
}

async fn settle(store: &AnyStore, outcomes: Vec<ReceiptOutcome>) -> usize {
    write(store, move |unit| {
        unit.edit_receipts().settle_receipts(&outcomes, after(9))
    })
    .await
}

fn outcome(id: ReceiptId, state: ReceiptState) -> ReceiptOutcome {
    ReceiptOutcome {
        id,
        state,
        conversation_id: None,
        reason: None,
    }
}

/// Bytes are bytes: what is no text, holds NUL or is empty too, up to a mebibyte.
pub async fn a_kept_callback_waits_with_its_bytes(store: AnyStore) {
    let bodies = [
        br#"{"type":"message"}"#.to_vec(),
        vec![0, 0xFF, 0xFE, 0, b'\'', b'\\'],
        Vec::new(),
        vec![0xE3; 1024 * 1024],
    ];
    let mut expected = Vec::new();
    for (number, body) in bodies.into_iter().enumerate() {
        let new = NewReceipt {
            body,
            ..receipt(&number.to_string(), after(7))
        };
        let Kept::Added(id) = keep(&store, new.clone()).await else {
            panic!("the callback is new");
        };
        expected.push(PendingReceipt {
            id,
            bot: BOT.to_owned(),
            body: new.body,
            received_at: after(7),
        });
    }
    assert!(
        pending(&store, 9).await == expected,
        "the bytes come back as they were"
    );
}

/// The key is the issued time and the digest, nothing else.
pub async fn the_same_callback_is_kept_once(store: AnyStore) {
    let first = receipt("同じ", start());
    assert!(matches!(keep(&store, first.clone()).await, Kept::Added(_)));
    assert_eq!(keep(&store, first.clone()).await, Kept::Existed);
    let later = NewReceipt {
        received_at: after(60),
        ..first.clone()
    };
    assert_eq!(keep(&store, later).await, Kept::Existed);
    let issued_otherwise = NewReceipt {
        issued: String::new(),
        ..first.clone()
    };
    assert!(matches!(keep(&store, issued_otherwise).await, Kept::Added(_)));
    let other_digest = NewReceipt {
        digest: [0xFF; 16],
        ..first
    };
    assert!(matches!(keep(&store, other_digest).await, Kept::Added(_)));
    assert_eq!(pending(&store, 9).await.len(), 3);
}

pub async fn the_same_callback_at_the_same_moment_is_kept_once(store: AnyStore) {
    let answers = at_once(16, |_| {
        let store = Arc::clone(&store);
        async move { keep(&store, receipt("同じ", start())).await }
    });
    let added = answers
        .await
        .into_iter()
        .filter(|kept| matches!(kept, Kept::Added(_)));
    assert_eq!(added.count(), 1);
    assert_eq!(pending(&store, 99).await.len(), 1);
}

pub async fn many_callbacks_at_once_are_all_kept(store: AnyStore) {
    let answers = at_once(200, |number| {
        let store = Arc::clone(&store);
        async move { keep_new(&store, &format!("callback {number}"), start()).await }
    });
    let ids: HashSet<_> = answers.await.into_iter().collect();
    assert_eq!(ids.len(), 200);
    let waiting = pending(&store, 500).await;
    assert_eq!(waiting.iter().map(|row| row.id).collect::<HashSet<_>>(), ids);
}

/// A callback that was seen in the same unit counts too.
pub async fn the_same_callback_twice_in_a_unit_is_kept_once(store: AnyStore) {
    let kept = write(&store, |unit| {
        let new = receipt("同じ", start());
        Ok((
            unit.edit_receipts().keep_receipt(&new)?,
            unit.edit_receipts().keep_receipt(&new)?,
        ))
    });
    assert!(matches!(kept.await, (Kept::Added(_), Kept::Existed)));
}

/// In the order in which they were kept, whatever their times.
pub async fn the_oldest_pending_come_first(store: AnyStore) {
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(keep_new(&store, &number.to_string(), after(-number)).await);
    }
    let waiting = async |limit| {
        pending(&store, limit)
            .await
            .iter()
            .map(|row| row.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(waiting(3).await, ids[..3]);
    settle(&store, vec![outcome(ids[1], ReceiptState::Recorded)]).await;
    assert_eq!(waiting(3).await, [ids[0], ids[2], ids[3]]);
}

pub async fn settling_takes_callbacks_out_of_the_waiting_ones(store: AnyStore) {
    let talk = open_talk(&store, &user(1)).await;
    let states = [
        ReceiptState::Recorded,
        ReceiptState::Unclaimed,
        ReceiptState::Ignored,
        ReceiptState::Uninterpreted,
    ];
    let mut outcomes = Vec::new();
    for (number, state) in states.into_iter().enumerate() {
        let id = keep_new(&store, &number.to_string(), start()).await;
        outcomes.push(ReceiptOutcome {
            conversation_id: Some(talk),
            reason: Some("理由".to_owned()),
            ..outcome(id, state)
        });
    }
    assert_eq!(settle(&store, outcomes).await, 4);
    assert!(pending(&store, 9).await.is_empty());
    assert_eq!(settle(&store, Vec::new()).await, 0);
}

/// Two recorders with the same batch: the second is told.
pub async fn what_is_settled_stays_as_it_is(store: AnyStore) {
    let first = keep_new(&store, "一", start()).await;
    let second = keep_new(&store, "二", start()).await;
    assert_eq!(
        settle(&store, vec![outcome(first, ReceiptState::Recorded)]).await,
        1
    );
    let again = vec![
        outcome(first, ReceiptState::Ignored),
        outcome(second, ReceiptState::Recorded),
        outcome(ReceiptId::new(404), ReceiptState::Recorded),
    ];
    assert_eq!(settle(&store, again).await, 1);
    assert!(pending(&store, 9).await.is_empty());
    assert_eq!(
        keep(&store, receipt("一", start())).await,
        Kept::Existed,
        "its key stays"
    );
}

pub async fn what_was_not_understood_can_be_opened_again(store: AnyStore) {
    let lost = keep_new(&store, "一", start()).await;
    let done = keep_new(&store, "二", start()).await;
    settle(
        &store,
        vec![
            outcome(lost, ReceiptState::Uninterpreted),
            outcome(done, ReceiptState::Recorded),
        ],
    )
    .await;
    let count = async || read(&store, |unit| unit.receipts().uninterpreted_receipts()).await;
    assert_eq!(count().await, 1);
    let reopened = write(&store, |uow| uow.edit_receipts().reopen_receipts()).await;
    assert_eq!(reopened, 1);
    assert_eq!(count().await, 0);
    let waiting: Vec<ReceiptId> = pending(&store, 9)
        .await
        .iter()
        .map(|receipt| receipt.id)
        .collect();
    assert_eq!(waiting, [lost]);
}

pub async fn of_recorders_at_once_one_settles(store: AnyStore) {
    let id = keep_new(&store, "一", start()).await;
    let counts = at_once(8, |_| {
        let store = Arc::clone(&store);
        async move { settle(&store, vec![outcome(id, ReceiptState::Recorded)]).await }
    });
    assert_eq!(counts.await.into_iter().sum::<usize>(), 1);
}

/// A message may name the callback it came with.
pub async fn a_message_refers_to_its_callback(store: AnyStore) {
    let id = keep_new(&store, "一", start()).await;
    let customer = add_customer(&store, &customer_details("山田", "太郎")).await;
    let mut row = received(customer, "一", start());
    row.receipt_id = Some(id);
    assert_eq!(add_activities(&store, vec![row]).await.len(), 1);
}

/// Settled ones count too.
pub async fn the_newest_callback_tells_when_it_came(store: AnyStore) {
    let last = async || read(&store, |unit| unit.receipts().last_received()).await;
    assert_eq!(last().await, None);
    keep_new(&store, "一", start()).await;
    let id = keep_new(&store, "二", after(60)).await;
    settle(&store, vec![outcome(id, ReceiptState::Recorded)]).await;
    assert_eq!(last().await, Some(after(60)));
}
