//! What waits.

use crm_domain::activities::MessageKind;
use crm_domain::attachments::NewAttachment;
use crm_domain::backlog::{Depth, Queue};
use crm_domain::instant::Instant;
use crm_domain::receipts::{Kept, ReceiptOutcome, ReceiptState};
use crm_domain::sends::{CLAIM_LEASE, SendState, Urgency};

use super::AnyStore;
use super::steps::{open_talk, read, write};
use crate::fixtures::{BOT, after, new_send, receipt, user};

async fn depth(store: &AnyStore, queue: Queue, most: usize) -> Depth {
    read(store, move |unit| unit.backlog().backlog(queue, most)).await
}

fn waits(count: usize, oldest: Instant) -> Depth {
    Depth {
        count,
        oldest: Some(oldest),
    }
}

pub async fn nothing_waits_in_an_empty_store(store: AnyStore) {
    for queue in Queue::ALL {
        assert_eq!(depth(&store, queue, 10).await, Depth::default(), "{queue:?}");
    }
}

pub async fn callbacks_and_files_wait_until_they_are_settled(store: AnyStore) {
    let mut ids = Vec::new();
    for seconds in [3, 1, 2] {
        let new = receipt(&format!("body {seconds}"), after(seconds));
        let kept = write(&store, move |unit| unit.edit_receipts().keep_receipt(&new)).await;
        let Kept::Added(id) = kept else {
            panic!("it is new")
        };
        ids.push(id);
    }
    assert_eq!(depth(&store, Queue::Receipts, 10).await, waits(3, after(1)));
    assert_eq!(depth(&store, Queue::Receipts, 2).await.count, 2);
    let outcome = ReceiptOutcome {
        id: ids[1],
        state: ReceiptState::Recorded,
        conversation_id: None,
        reason: None,
    };
    let file = NewAttachment {
        receipt_id: ids[1],
        conversation_id: None,
        bot: BOT.to_owned(),
        file_id: "jp1.1".to_owned(),
        kind: MessageKind::Image,
        name: None,
    };
    write(&store, move |unit| {
        unit.edit_attachments()
            .add_attachments(std::slice::from_ref(&file), after(5))?;
        unit.edit_receipts()
            .settle_receipts(std::slice::from_ref(&outcome), after(5))
    })
    .await;
    assert_eq!(depth(&store, Queue::Receipts, 10).await, waits(2, after(2)));
    assert_eq!(depth(&store, Queue::Files, 10).await, waits(1, after(5)));
}

pub async fn messages_wait_then_are_on_their_way_then_done(store: AnyStore) {
    for (number, seconds) in [(1, 4), (2, 2)] {
        let to = open_talk(&store, &user(number)).await;
        let new = new_send(&format!("key {number}"), to, "こんにちは", after(seconds));
        write(&store, move |unit| unit.edit_sends().add_send(&new)).await;
    }
    assert_eq!(depth(&store, Queue::Queued, 10).await, waits(2, after(2)));
    let claimed = write(&store, |unit| {
        unit.edit_sends()
            .claim_send("run", Urgency::Bulk, after(9), CLAIM_LEASE)
    })
    .await;
    let id = claimed.expect("one waits").id;
    assert_eq!(depth(&store, Queue::Queued, 10).await.count, 1);
    assert_eq!(depth(&store, Queue::Sending, 10).await.count, 1);
    write(&store, move |unit| {
        unit.edit_sends()
            .finish_send(id, "run", SendState::Sent, None, after(10))
    })
    .await;
    assert_eq!(depth(&store, Queue::Sending, 10).await, Depth::default());
}
