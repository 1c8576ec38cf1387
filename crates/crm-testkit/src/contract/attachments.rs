//! Attachments.

use crm_domain::activities::{Activity, MessageKind, NewActivity};
use crm_domain::attachments::{Attachment, AttachmentId, AttachmentOutcome, AttachmentState, NewAttachment};
use crm_domain::conversations::{ConversationKey, ConversationKind};
use crm_domain::instant::Instant;
use crm_domain::ports::blobs::{Blob, BlobHash};
use crm_domain::receipts::{Kept, ReceiptId};

use super::AnyStore;
use super::steps::{add_activities, add_customer, at_once, open_talk, read, write};
use crate::fixtures::{BOT, after, customer_details, receipt, received_in, start, user};

async fn callback(store: &AnyStore, body: &str) -> ReceiptId {
    let new = receipt(body, start());
    match write(store, move |unit| unit.edit_receipts().keep_receipt(&new)).await {
        Kept::Added(id) => id,
        Kept::Existed => panic!("{body} is new"),
    }
}

fn photo(receipt_id: ReceiptId) -> NewAttachment {
    NewAttachment {
        receipt_id,
        conversation_id: None,
        bot: BOT.to_owned(),
        file_id: format!("jp1.{receipt_id}"),
        kind: MessageKind::Image,
        name: None,
    }
}

async fn add(store: &AnyStore, new: NewAttachment, at: Instant) {
    write(store, move |unit| {
        unit.edit_attachments()
            .add_attachments(std::slice::from_ref(&new), at)
    })
    .await;
}

async fn of(store: &AnyStore, receipt: ReceiptId) -> Vec<Attachment> {
    read(store, move |unit| {
        unit.attachments().attachments_of_receipts(&[receipt])
    })
    .await
}

pub(super) async fn add_photo(store: &AnyStore, body: &str, at: Instant) -> AttachmentId {
    let receipt = callback(store, body).await;
    add(store, photo(receipt), at).await;
    of(store, receipt).await[0].id
}

async fn found(store: &AnyStore, id: AttachmentId) -> Attachment {
    let found = read(store, move |unit| unit.attachments().attachment(id)).await;
    found.expect("it is there")
}

async fn waiting(store: &AnyStore, limit: usize) -> Vec<AttachmentId> {
    let waiting = read(store, move |unit| unit.attachments().waiting_attachments(limit)).await;
    waiting.iter().map(|attachment| attachment.id).collect()
}

async fn settle(store: &AnyStore, id: AttachmentId, outcome: AttachmentOutcome) -> bool {
    write(store, move |unit| {
        unit.edit_attachments().settle_attachment(id, &outcome)
    })
    .await
}

fn stored(name: Option<&str>) -> AttachmentOutcome {
    AttachmentOutcome::Stored {
        blob: Blob {
            hash: BlobHash([0xAB; 32]),
            size: 5_000_000_000,
        },
        name: name.map(str::to_owned),
        media_type: Some("image/jpeg".to_owned()),
    }
}

fn later(seconds: i64) -> AttachmentOutcome {
    AttachmentOutcome::Later {
        at: after(seconds),
        reason: "no_connection",
    }
}

const FAILED: AttachmentOutcome = AttachmentOutcome::Failed { reason: "too_large" };
const GONE: AttachmentOutcome = AttachmentOutcome::Gone { reason: "gone" };

/// With all that was said of it, waiting for its first try at once.
pub async fn an_added_attachment_is_found_as_it_was(store: AnyStore) {
    let receipt_id = callback(&store, "1").await;
    let talk = open_talk(&store, &user(1)).await;
    let new = NewAttachment {
        conversation_id: Some(talk),
        kind: MessageKind::File,
        name: Some("見積書.pdf".to_owned()),
        ..photo(receipt_id)
    };
    add(&store, new, after(3)).await;
    let all = of(&store, receipt_id).await;
    let expected = Attachment {
        id: all[0].id,
        receipt_id,
        conversation_id: Some(talk),
        bot: BOT.to_owned(),
        file_id: format!("jp1.{receipt_id}"),
        kind: MessageKind::File,
        state: AttachmentState::Pending,
        name: Some("見積書.pdf".to_owned()),
        media_type: None,
        blob: None,
        tries: 0,
        next_try_at: Some(after(3)),
        reason: None,
        added_at: after(3),
    };
    assert_eq!(all, std::slice::from_ref(&expected));
    assert_eq!(found(&store, expected.id).await, expected);
    let unknown = AttachmentId::new(999_999);
    assert_eq!(
        read(&store, move |unit| unit.attachments().attachment(unknown)).await,
        None
    );
}

/// Also when two recorders add it at the same moment.
pub async fn a_callback_has_one_attachment(store: AnyStore) {
    let receipt_id = callback(&store, "1").await;
    at_once(4, |_| {
        let store = store.clone();
        async move { add(&store, photo(receipt_id), start()).await }
    })
    .await;
    assert_eq!(of(&store, receipt_id).await.len(), 1);
}

/// By the time of their next try, then by age; those whose time has not come stand behind.
pub async fn the_attachment_whose_turn_is_next_comes_first(store: AnyStore) {
    let late = add_photo(&store, "1", after(9)).await;
    let early = add_photo(&store, "2", after(1)).await;
    let same = add_photo(&store, "3", after(1)).await;
    assert_eq!(waiting(&store, 9).await, [early, same, late]);
    assert!(settle(&store, early, later(60)).await);
    assert_eq!(waiting(&store, 9).await, [same, late, early]);
    assert_eq!(waiting(&store, 1).await, [same]);
}

/// Its bytes, its media type, and its name if one came with them.
pub async fn a_stored_attachment_has_its_bytes_and_waits_no_more(store: AnyStore) {
    let (named, unnamed) = (
        add_photo(&store, "1", start()).await,
        add_photo(&store, "2", start()).await,
    );
    assert!(settle(&store, named, stored(Some("写真.jpg"))).await);
    let attachment = found(&store, named).await;
    assert_eq!(attachment.state, AttachmentState::Stored);
    assert_eq!(attachment.name.as_deref(), Some("写真.jpg"));
    assert_eq!(attachment.media_type.as_deref(), Some("image/jpeg"));
    assert_eq!(attachment.blob.map(|blob| blob.size), Some(5_000_000_000));
    assert_eq!(attachment.blob.map(|blob| blob.hash), Some(BlobHash([0xAB; 32])));
    assert_eq!((attachment.next_try_at, attachment.reason), (None, None));
    let receipt_id = callback(&store, "3").await;
    let told = NewAttachment {
        name: Some("a.jpg".to_owned()),
        ..photo(receipt_id)
    };
    add(&store, told, start()).await;
    let told = of(&store, receipt_id).await[0].id;
    assert!(settle(&store, told, stored(None)).await);
    assert_eq!(found(&store, told).await.name.as_deref(), Some("a.jpg"));
    assert_eq!(waiting(&store, 9).await, [unnamed]);
}

/// With the number of tries in vain and why.
pub async fn an_attachment_is_tried_again_later(store: AnyStore) {
    let id = add_photo(&store, "1", start()).await;
    for (tries, seconds) in [(1, 10), (2, 60)] {
        assert!(settle(&store, id, later(seconds)).await);
        let attachment = found(&store, id).await;
        assert_eq!(
            (attachment.state, attachment.tries, attachment.next_try_at),
            (AttachmentState::Pending, tries, Some(after(seconds)))
        );
        assert_eq!(attachment.reason.as_deref(), Some("no_connection"));
    }
    assert!(settle(&store, id, stored(None)).await);
    assert_eq!(found(&store, id).await.reason, None);
}

/// What became of it stays, whoever says something else later.
pub async fn only_a_waiting_attachment_is_settled(store: AnyStore) {
    for (number, outcome, state) in [
        ("1", stored(None), AttachmentState::Stored),
        ("2", FAILED, AttachmentState::Failed),
        ("3", GONE, AttachmentState::Gone),
    ] {
        let id = add_photo(&store, number, start()).await;
        assert!(settle(&store, id, outcome).await);
        for late in [stored(Some("x")), later(5), FAILED, GONE] {
            assert!(!settle(&store, id, late).await);
        }
        let attachment = found(&store, id).await;
        assert_eq!((attachment.state, attachment.name), (state, None));
    }
    assert!(!settle(&store, AttachmentId::new(999_999), GONE).await);
}

/// Only those that are not tried again by themselves; then they wait like new ones.
pub async fn a_missing_attachment_can_be_asked_for_again(store: AnyStore) {
    let (failed, gone) = (
        add_photo(&store, "1", start()).await,
        add_photo(&store, "2", start()).await,
    );
    let (there, pending) = (
        add_photo(&store, "3", start()).await,
        add_photo(&store, "4", after(90)).await,
    );
    assert!(settle(&store, failed, later(7)).await);
    for (id, outcome) in [(failed, FAILED), (gone, GONE), (there, stored(None))] {
        assert!(settle(&store, id, outcome).await);
    }
    let missing = async || read(&store, |unit| unit.attachments().missing_attachments()).await;
    assert_eq!(missing().await, 2);
    for (id, reopened) in [(failed, true), (gone, true), (there, false), (pending, false)] {
        let done = write(&store, move |unit| {
            unit.edit_attachments().reopen_attachment(id, after(30))
        })
        .await;
        assert_eq!(done, reopened);
    }
    assert_eq!(missing().await, 0);
    assert_eq!(waiting(&store, 9).await, [failed, gone, pending]);
    let again = found(&store, failed).await;
    assert_eq!(
        (again.state, again.tries, again.next_try_at, again.reason),
        (AttachmentState::Pending, 0, Some(after(30)), None)
    );
}

async fn page(store: &AnyStore, customer: crm_domain::customers::CustomerId) -> Vec<Activity> {
    read(store, move |unit| {
        unit.activities().activities_before(customer, None, 9)
    })
    .await
}

/// On every page, by whatever way it is looked up, and not beside messages that came with other callbacks.
pub async fn a_message_shows_its_attachment(store: AnyStore) {
    let customer = add_customer(&store, &customer_details("山田", "太郎")).await;
    let other = add_customer(&store, &customer_details("佐藤", "花子")).await;
    let (talk, receipt_id) = (open_talk(&store, &user(1)).await, callback(&store, "1").await);
    let with_photo = |customer| NewActivity {
        receipt_id: Some(receipt_id),
        kind: MessageKind::Image,
        ..received_in(talk, customer, "", start())
    };
    let messages = vec![
        with_photo(customer),
        received_in(talk, customer, "はい", after(1)),
        with_photo(other),
    ];
    let ids = add_activities(&store, messages).await;
    assert_eq!(page(&store, customer).await[1].file, None, "none was added yet");
    add(&store, photo(receipt_id), start()).await;
    let file = of(&store, receipt_id).await.pop();
    assert!(file.is_some());
    assert_eq!(page(&store, customer).await[0].file, None);
    assert_eq!(page(&store, customer).await[1].file, file);
    let first = ids[0];
    let single = read(&store, move |unit| unit.activities().activity(first)).await;
    assert_eq!(single.and_then(|message| message.file), file);
    let added = read(&store, move |unit| {
        unit.activities().activities_added_after(other, None, 9)
    })
    .await;
    assert_eq!(added[0].file, file);
    let shown = read(&store, move |unit| unit.attachments().customers_shown(receipt_id)).await;
    assert_eq!(shown, [customer, other]);
    let gone = ids[2];
    write(&store, move |unit| {
        unit.edit_activities().delete_activity(gone, after(5))
    })
    .await;
    let shown = read(&store, move |unit| unit.attachments().customers_shown(receipt_id)).await;
    assert_eq!(shown, [customer], "not where it was deleted");
}

/// And only those that are rooms.
pub async fn a_message_tells_whether_it_was_said_in_a_room(store: AnyStore) {
    let customer = add_customer(&store, &customer_details("山田", "太郎")).await;
    let talk = open_talk(&store, &user(1)).await;
    let key = ConversationKey {
        bot: BOT.to_owned(),
        address: user(77),
        kind: ConversationKind::Room,
    };
    let room = write(&store, move |unit| {
        unit.edit_conversations()
            .open_conversations(std::slice::from_ref(&key), start())
    })
    .await[0];
    let messages = vec![
        received_in(talk, customer, "一", start()),
        received_in(room, customer, "二", after(1)),
    ];
    add_activities(&store, messages).await;
    let told: Vec<bool> = page(&store, customer)
        .await
        .iter()
        .map(|message| message.in_room)
        .collect();
    assert_eq!(told, [true, false]);
    let asked = vec![user(1), user(77), user(78)];
    let rooms = read(&store, move |unit| unit.conversations().rooms_among(&asked)).await;
    assert_eq!(rooms, [user(77)]);
}
