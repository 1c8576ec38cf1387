//! Erasures.

use crm_domain::activities::{MessageKind, NewActivity};
use crm_domain::attachments::{AttachmentOutcome, NewAttachment};
use crm_domain::conversations::ConversationId;
use crm_domain::customers::CustomerId;
use crm_domain::erasures::{ErasureCause, ErasureId, ErasureState, NewErasure, Talk};
use crm_domain::notes::NewNote;
use crm_domain::ports::blobs::{Blob, BlobHash};
use crm_domain::ports::erased::{Erased, ErasedKey};
use crm_domain::receipts::{Kept, ReceiptId, ReceiptOutcome, ReceiptState};
use crm_domain::sends::{Author, SendId};
use crm_domain::tally::{DataKind, Tally};
use crm_domain::teams::Visible;

use super::AnyStore;
use super::steps::{add_activities, add_customer, open_talk, read, write};
use crate::fixtures::{
    BOT, after, customer_on, new_send, receipt, received_in, sent_in, start, talk, text, user,
};

const BLOB: Blob = Blob {
    hash: BlobHash([7; 32]),
    size: 3,
};

fn author() -> Author {
    Author {
        member_id: None,
        name: "管理 花子".to_owned(),
    }
}

async fn callback(store: &AnyStore, body: &str, talk: ConversationId, state: ReceiptState) -> ReceiptId {
    let new = receipt(body, start());
    write(store, move |unit| {
        let Kept::Added(id) = unit.edit_receipts().keep_receipt(&new)? else {
            panic!("it is new");
        };
        let outcome = ReceiptOutcome {
            id,
            state,
            conversation_id: Some(talk),
            reason: None,
        };
        unit.edit_receipts().settle_receipts(&[outcome], after(1))?;
        Ok(id)
    })
    .await
}

async fn photo(store: &AnyStore, receipt_id: ReceiptId, talk: ConversationId) {
    let new = NewAttachment {
        receipt_id,
        conversation_id: Some(talk),
        bot: BOT.to_owned(),
        file_id: "jp1".to_owned(),
        kind: MessageKind::Image,
        name: Some("家族.jpg".to_owned()),
    };
    write(store, move |unit| {
        unit.edit_attachments()
            .add_attachments(std::slice::from_ref(&new), after(1))?;
        let added = unit.attachments().attachments_of_receipts(&[receipt_id])?;
        let outcome = AttachmentOutcome::Stored {
            blob: BLOB,
            name: None,
            media_type: None,
        };
        unit.edit_attachments().settle_attachment(added[0].id, &outcome)
    })
    .await;
}

/// A person with a talk in which everything there is stands on one page.
struct Person {
    id: CustomerId,
    talk: ConversationId,
    send: SendId,
}

async fn person(store: &AnyStore, number: u32) -> Person {
    let id = add_customer(store, &customer_on("山田", "太郎", &user(number))).await;
    let talk = open_talk(store, &user(number)).await;
    let key = number.to_string();
    let send = write(store, move |unit| {
        let new = new_send(&key, talk, "お返事", after(2));
        let send = unit.edit_sends().add_send(&new)?.id();
        unit.edit_senders().note_senders(&[user(number)], start())?;
        let note = NewNote {
            key: key.clone(),
            conversation_id: Some(talk),
            customer_id: Some(id),
            author: author(),
            text: text("要注意"),
            written_at: after(3),
        };
        unit.edit_notes().add_note(&note)?;
        Ok(send)
    })
    .await;
    let came = callback(store, &format!("来た {number}"), talk, ReceiptState::Recorded).await;
    photo(store, came, talk).await;
    let rows = vec![
        NewActivity {
            receipt_id: Some(came),
            ..received_in(talk, id, "来た", after(1))
        },
        sent_in(talk, id, send, "お返事", after(2)),
    ];
    add_activities(store, rows).await;
    Person { id, talk, send }
}

async fn subject_talks(store: &AnyStore, id: CustomerId) -> Vec<Talk> {
    let found = read(store, move |unit| unit.erasures().subject(id)).await;
    found.expect("there is such a customer").talks
}

async fn erase_page(store: &AnyStore, id: CustomerId) -> Tally {
    write(store, move |unit| {
        Ok(unit.edit_erasures().erase_page(id, 100, after(9))?.0)
    })
    .await
}

async fn erase_talk(store: &AnyStore, talk: ConversationId) -> Tally {
    let mut all = Tally::default();
    loop {
        let part = write(store, move |unit| {
            unit.edit_erasures().erase_talk(talk, 100, after(9))
        })
        .await;
        if part.is_empty() {
            return all;
        }
        all.merge(&part);
    }
}

async fn begin(store: &AnyStore, id: CustomerId, state: ErasureState) -> ErasureId {
    let new = NewErasure {
        customer_id: id,
        subject: "abc".to_owned(),
        cause: ErasureCause::Asked,
        state,
        requested_at: after(5),
        requested_by: author(),
    };
    write(store, move |unit| {
        unit.edit_erasures()
            .begin_erasure(&new, &[(ConversationId::new(7), user(7))])
    })
    .await
}

pub async fn a_receipt_tells_what_was_erased_and_forgets_whom(store: AnyStore) {
    let id = CustomerId::new(5);
    let erasure = begin(&store, id, ErasureState::Running).await;
    let found = async || {
        let found = read(&store, move |unit| unit.erasures().erasure(erasure)).await;
        found.expect("it is there")
    };
    let begun = found().await;
    assert_eq!(
        (begun.customer_id, begun.state, begun.requested_by.as_str()),
        (Some(id), ErasureState::Running, "管理 花子")
    );
    let talks = async || read(&store, move |unit| unit.erasures().erasure_talks(erasure)).await;
    assert_eq!(talks().await, [(ConversationId::new(7), user(7))]);
    for _ in 0..2 {
        write(&store, move |unit| {
            unit.edit_erasures()
                .count_erased(erasure, &Tally::of(DataKind::Notes, 2))
        })
        .await;
    }
    for state in [ErasureState::Cleaning, ErasureState::Done] {
        assert_eq!(
            read(&store, |unit| unit.erasures().open_erasures()).await.len(),
            1
        );
        write(&store, move |unit| {
            unit.edit_erasures().settle_erasure(erasure, state, after(9))
        })
        .await;
    }
    assert_eq!(talks().await, []);
    assert_eq!(read(&store, |unit| unit.erasures().open_erasures()).await, []);
    let done = found().await;
    assert_eq!((done.customer_id, done.finished_at), (None, Some(after(9))));
    assert_eq!(
        (done.subject.as_str(), done.tally.count(DataKind::Notes)),
        ("abc", 4)
    );
    begin(&store, id, ErasureState::Held).await;
    let all = read(&store, |unit| unit.erasures().erasures(9)).await;
    let states: Vec<ErasureState> = all.iter().map(|row| row.state).collect();
    assert_eq!(states, [ErasureState::Held, ErasureState::Done]);
    assert_eq!(all[0].customer_id, None);
}

/// Who is late with a step changes nothing, least of all back.
pub async fn an_erasure_gets_one_step_farther_at_a_time_and_never_back(store: AnyStore) {
    use ErasureState::{Cleaning, Done, Running};
    let erasure = begin(&store, CustomerId::new(5), Running).await;
    let settle = async |state, at| {
        write(&store, move |unit| {
            unit.edit_erasures().settle_erasure(erasure, state, after(at))
        })
        .await
    };
    assert!(!settle(Done, 1).await, "it is not at its last step");
    assert!(settle(Cleaning, 2).await);
    assert!(!settle(Cleaning, 3).await);
    assert!(settle(Done, 4).await);
    for state in [Running, Cleaning, Done] {
        assert!(!settle(state, 5).await, "{state:?}");
    }
    let found = read(&store, move |unit| unit.erasures().erasure(erasure)).await;
    let found = found.expect("it is there");
    assert_eq!((found.state, found.finished_at), (Done, Some(after(4))));
}

pub async fn a_talk_goes_with_a_person_unless_another_carries_the_address(store: AnyStore) {
    let yamada = person(&store, 1).await;
    assert_eq!(subject_talks(&store, yamada.id).await, [(yamada.talk, user(1))]);
    let other = add_customer(&store, &customer_on("佐藤", "花子", &user(1))).await;
    assert_eq!(subject_talks(&store, yamada.id).await, []);
    write(&store, move |unit| {
        unit.edit_customers().discard_customer(other, after(1))
    })
    .await;
    assert_eq!(
        subject_talks(&store, yamada.id).await,
        [],
        "one in the trash counts too"
    );
    let nobody = read(&store, |unit| unit.erasures().subject(CustomerId::new(404))).await;
    assert_eq!(nobody, None);
}

pub async fn an_erased_page_takes_what_stands_nowhere_else(store: AnyStore) {
    let yamada = person(&store, 1).await;
    let sato = add_customer(&store, &customer_on("佐藤", "花子", &user(1))).await;
    let (talk, send) = (yamada.talk, yamada.send);
    add_activities(&store, vec![sent_in(talk, sato, send, "お返事", after(2))]).await;
    let tally = erase_page(&store, yamada.id).await;
    let counts = [
        DataKind::Activities,
        DataKind::Bodies,
        DataKind::Files,
        DataKind::Sends,
    ]
    .map(|kind| tally.count(kind));
    assert_eq!(
        counts,
        [2, 1, 1, 0],
        "the message of ours stands on the other page"
    );
    assert!(read(&store, move |unit| unit.sends().send(send)).await.is_some());
    assert_eq!(
        read(&store, |unit| unit.erasures().abandoned_blobs(9)).await,
        [BLOB.hash]
    );
    assert!(!read(&store, |unit| unit.erasures().is_blob_named(&BLOB.hash)).await);
    write(&store, |unit| unit.edit_erasures().settle_blob(&BLOB.hash)).await;
    assert_eq!(read(&store, |unit| unit.erasures().abandoned_blobs(9)).await, []);
    assert_eq!(erase_page(&store, sato).await.count(DataKind::Sends), 1);
    assert!(read(&store, move |unit| unit.sends().send(send)).await.is_none());
    assert!(erase_page(&store, sato).await.is_empty());
}

pub async fn an_erased_talk_is_nobodys(store: AnyStore) {
    let yamada = person(&store, 1).await;
    let waiting = callback(&store, "誰", yamada.talk, ReceiptState::Unclaimed).await;
    let (id, own) = (yamada.id, yamada.talk);
    erase_page(&store, id).await;
    let tally = erase_talk(&store, own).await;
    assert_eq!(
        [DataKind::Bodies, DataKind::Notes].map(|kind| tally.count(kind)),
        [1, 1]
    );
    let left = read(&store, |unit| unit.erasures().bodies_after(ReceiptId::new(0), 9)).await;
    assert_eq!(left, []);
    let unclaimed = read(&store, move |unit| {
        unit.receipts()
            .unclaimed_receipts(own, Some(ReceiptId::new(waiting.get() - 1)), 9)
    });
    assert!(unclaimed.await.is_empty());
    let taken = write(&store, move |unit| {
        let mut tally = unit.edit_erasures().forget_talk(&(own, user(1)))?;
        tally.merge(&unit.edit_erasures().erase_customer(id)?);
        Ok(tally)
    })
    .await;
    let kinds = [DataKind::Senders, DataKind::Conversations, DataKind::Customers];
    assert_eq!(kinds.map(|kind| taken.count(kind)), [1, 1, 1]);
    let stored = read(&store, move |unit| unit.conversations().conversation(own)).await;
    let stored = stored.expect("the conversation stays, as nobody's");
    assert_eq!(stored.key.address.as_str(), format!("erased-{own}"));
    assert_eq!((stored.standing.last, stored.standing.customer_id), (None, None));
    assert_eq!(
        read(&store, |unit| unit.senders().senders_of(&[user(1)])).await,
        []
    );
    assert_eq!(read(&store, move |unit| unit.erasures().subject(id)).await, None);
    let gone = read(&store, move |unit| unit.customers().customer(id, &Visible::All)).await;
    assert_eq!(gone, None);
    let again = open_talk(&store, &user(1)).await;
    assert_ne!(again, own, "who writes again is somebody new");
    let talks = read(&store, |unit| {
        unit.erasures().talks_after(ConversationId::new(0), 9)
    });
    let talks = talks.await;
    assert_eq!((talks.len(), &talks[1].0), (2, &(again, talk(&user(1)).address)));
    assert_eq!((talks[1].1, talks[1].2), (start(), None));
}

pub async fn the_others_keep_everything(store: AnyStore) {
    let (yamada, sato) = (person(&store, 1).await, person(&store, 2).await);
    erase_page(&store, yamada.id).await;
    erase_talk(&store, yamada.talk).await;
    let (gone, talk) = (yamada.id, yamada.talk);
    write(&store, move |unit| {
        unit.edit_erasures().forget_talk(&(talk, user(1)))?;
        unit.edit_erasures().erase_customer(gone)
    })
    .await;
    assert_eq!(subject_talks(&store, sato.id).await, [(sato.talk, user(2))]);
    assert!(read(&store, |unit| unit.erasures().is_blob_named(&BLOB.hash)).await);
    let (page, send) = (sato.id, sato.send);
    let rows = read(&store, move |unit| {
        unit.activities().activities_before(page, None, 9)
    });
    assert_eq!(rows.await.len(), 2);
    assert!(read(&store, move |unit| unit.sends().send(send)).await.is_some());
    let bodies = read(&store, |unit| unit.erasures().bodies_after(ReceiptId::new(0), 9)).await;
    assert_eq!(bodies.len(), 1);
    assert_eq!(
        read(&store, |unit| unit.senders().senders_of(&[user(2)]))
            .await
            .len(),
        1
    );
}

pub async fn a_dossier_holds_what_is_kept_about_a_person_and_nothing_of_others(store: AnyStore) {
    let (yamada, _sato) = (person(&store, 1).await, person(&store, 2).await);
    let id = yamada.id;
    let subject = read(&store, move |unit| unit.erasures().subject(id)).await;
    let subject = subject.expect("it is there");
    for (kind, count) in [
        (DataKind::Customers, 1),
        (DataKind::Activities, 2),
        (DataKind::Notes, 1),
        (DataKind::Sends, 1),
        (DataKind::Bodies, 1),
        (DataKind::Files, 1),
        (DataKind::Senders, 1),
        (DataKind::Conversations, 1),
        (DataKind::Drafts, 0),
        (DataKind::Origins, 0),
    ] {
        let asked = subject.clone();
        let found = read(&store, move |unit| {
            unit.dossiers().records_about(&asked, kind, 0, 9)
        });
        let found = found.await;
        assert_eq!(found.len(), count, "{}", kind.code());
        assert!(
            found.iter().all(|record| record.0[0].0 == "id"),
            "{}",
            kind.code()
        );
    }
}

pub async fn who_was_erased_is_listed_once(store: AnyStore) {
    let erased = [
        Erased {
            key: ErasedKey::Customer(CustomerId::new(7)),
            at: start(),
        },
        Erased {
            key: ErasedKey::Address([9; 32]),
            at: after(1),
        },
    ];
    for _ in 0..2 {
        let listed = erased.clone();
        write(&store, move |unit| unit.edit_erasures().list_erased(&listed)).await;
    }
    let listed = read(&store, |unit| unit.erasures().listed_erased()).await;
    assert_eq!(listed, erased);
}
