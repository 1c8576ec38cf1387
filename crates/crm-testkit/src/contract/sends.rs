//! Messages of ours on their way.

use std::collections::HashSet;
use std::sync::Arc;

use crm_domain::conversations::ConversationId;
use crm_domain::instant::Instant;
use crm_domain::members::Role;
use crm_domain::sends::{Author, CLAIM_LEASE, Dead, NewSend, Queued, Send, SendId, SendState, Urgency};

use super::AnyStore;
use super::steps::{at_once, open_talk, read, write};
use crate::fixtures::{after, new_member, new_send, start, talk, text, user};

pub(super) async fn add(store: &AnyStore, new: NewSend) -> Queued {
    write(store, move |unit| unit.edit_sends().add_send(&new)).await
}

pub(super) async fn queue(store: &AnyStore, key: &str, to: ConversationId) -> SendId {
    match add(store, new_send(key, to, key, start())).await {
        Queued::Added(id) => id,
        Queued::Existed(_) => panic!("{key} is new"),
    }
}

pub(super) async fn found(store: &AnyStore, id: SendId) -> Send {
    let found = read(store, move |unit| unit.sends().send(id)).await;
    found.expect("the message is there")
}

pub(super) async fn claim(store: &AnyStore, run: &'static str) -> Option<Send> {
    claim_at(store, run, Urgency::Bulk, after(1)).await
}

pub(super) async fn claim_at(
    store: &AnyStore,
    run: &'static str,
    least: Urgency,
    at: Instant,
) -> Option<Send> {
    write(store, move |unit| {
        unit.edit_sends().claim_send(run, least, at, CLAIM_LEASE)
    })
    .await
}

pub(super) async fn claim_id(store: &AnyStore) -> Option<SendId> {
    claim(store, "run").await.map(|send| send.id)
}

pub(super) async fn finish(store: &AnyStore, id: SendId, run: &'static str, state: SendState) -> bool {
    write(store, move |unit| {
        unit.edit_sends()
            .finish_send(id, run, state, Some("理由"), after(2))
    })
    .await
}

async fn any_open(store: &AnyStore) -> bool {
    read(store, |unit| unit.sends().sends_open()).await
}

pub async fn a_queued_message_is_found_as_it_was(store: AnyStore) {
    let to = open_talk(&store, &user(1)).await;
    let author = write(&store, |unit| {
        let member = new_member("a@example.jp", "花子", Role::Member);
        unit.edit_members().add_member(&member, start())
    });
    let author = Author {
        member_id: Some(author.await),
        name: "花子 👩‍💼".to_owned(),
    };
    let words = "😀".repeat(2_000);
    let new = NewSend {
        text: text(&words),
        author: author.clone(),
        ..new_send("鍵 1", to, "…", after(5))
    };
    let id = add(&store, new).await.id();
    let expected = Send {
        id,
        conversation_id: to,
        to: talk(&user(1)),
        text: words,
        author,
        state: SendState::Queued,
        reason: None,
        urgency: Urgency::Answer,
        tries: 0,
        next_try_at: None,
        queued_at: after(5),
        finished_at: None,
        treated: None,
        held_until: None,
    };
    assert_eq!(found(&store, id).await, expected);
    assert_eq!(
        read(&store, |unit| unit.sends().send(SendId::new(404))).await,
        None
    );
}

/// Whatever else differs; letter case does.
pub async fn the_same_key_queues_once(store: AnyStore) {
    let (to, other) = (
        open_talk(&store, &user(1)).await,
        open_talk(&store, &user(2)).await,
    );
    let id = queue(&store, "Key", to).await;
    assert_eq!(
        add(&store, new_send("Key", other, "別の文", after(9))).await,
        Queued::Existed(id)
    );
    assert_eq!(found(&store, id).await.text, "Key");
    assert!(matches!(
        add(&store, new_send("key", to, "一", start())).await,
        Queued::Added(_)
    ));
    assert!(matches!(
        add(&store, new_send("Key ", to, "二", start())).await,
        Queued::Added(_)
    ));
}

/// Also between many at the same moment, and all of them learn the same id.
pub async fn the_same_key_at_the_same_moment_queues_once(store: AnyStore) {
    let to = open_talk(&store, &user(1)).await;
    let answers = at_once(16, |_| {
        let store = Arc::clone(&store);
        async move { add(&store, new_send("key", to, "はい", start())).await }
    });
    let answers = answers.await;
    let added = answers.iter().filter(|queued| matches!(queued, Queued::Added(_)));
    assert_eq!(added.count(), 1);
    assert_eq!(
        answers
            .iter()
            .map(|queued| queued.id())
            .collect::<HashSet<_>>()
            .len(),
        1
    );
    assert!(claim_id(&store).await.is_some());
    assert_eq!(claim_id(&store).await, None);
}

pub async fn nothing_queued_is_nothing_to_claim(store: AnyStore) {
    assert_eq!(claim(&store, "run").await, None);
    assert!(!any_open(&store).await);
}

/// The oldest first, but one at a time for each conversation.
pub async fn the_oldest_of_an_idle_conversation_is_claimed(store: AnyStore) {
    let (a, b) = (
        open_talk(&store, &user(1)).await,
        open_talk(&store, &user(2)).await,
    );
    let mut ids = Vec::new();
    for (key, to) in [("a1", a), ("a2", a), ("b1", b), ("a3", a), ("b2", b)] {
        ids.push(queue(&store, key, to).await);
    }
    let claimed = claim(&store, "run").await.expect("something waits");
    assert_eq!((claimed.id, claimed.state), (ids[0], SendState::Sending));
    assert_eq!((claimed.to, claimed.text.as_str()), (talk(&user(1)), "a1"));
    assert_eq!(found(&store, ids[0]).await.state, SendState::Sending);
    assert_eq!(claim_id(&store).await, Some(ids[2]));
    assert_eq!(
        claim_id(&store).await,
        None,
        "both conversations have one on its way"
    );
    assert!(finish(&store, ids[2], "run", SendState::Sent).await);
    assert_eq!(claim_id(&store).await, Some(ids[4]));
    assert!(finish(&store, ids[0], "run", SendState::Sent).await);
    assert_eq!(claim_id(&store).await, Some(ids[1]));
}

/// 送信失敗 and 結果不明 do not hold up what comes behind them.
pub async fn a_failed_message_does_not_block_later_ones(store: AnyStore) {
    let to = open_talk(&store, &user(1)).await;
    for (key, state) in [
        ("1", SendState::Failed),
        ("2", SendState::Unknown),
        ("3", SendState::Sent),
    ] {
        let id = queue(&store, key, to).await;
        assert_eq!(claim_id(&store).await, Some(id));
        assert!(finish(&store, id, "run", state).await);
        let send = found(&store, id).await;
        assert_eq!((send.state, send.finished_at), (state, Some(after(2))));
        assert_eq!(send.reason.as_deref(), Some("理由"));
    }
}

/// Eight workers empty a queue of five conversations: no message goes to two, and no conversation has two on their way.
pub async fn no_message_is_claimed_twice_and_no_conversation_doubly(store: AnyStore) {
    for number in 0..40 {
        let to = open_talk(&store, &user(number % 5)).await;
        queue(&store, &format!("{number}"), to).await;
    }
    let busy = Arc::new(std::sync::Mutex::new(HashSet::new()));
    let claimed = at_once(8, |_| {
        let (store, busy) = (Arc::clone(&store), Arc::clone(&busy));
        async move {
            let mut mine = Vec::new();
            while any_open(&store).await {
                let Some(send) = claim(&store, "run").await else {
                    tokio::task::yield_now().await;
                    continue;
                };
                let alone = busy.lock().expect("no task panics").insert(send.conversation_id);
                assert!(alone, "a conversation has two messages on their way");
                mine.push((send.conversation_id, send.id));
                busy.lock().expect("no task panics").remove(&send.conversation_id);
                assert!(finish(&store, send.id, "run", SendState::Sent).await);
            }
            mine
        }
    });
    let claimed: Vec<_> = claimed.await.into_iter().flatten().collect();
    assert_eq!(claimed.len(), 40);
    assert_eq!(claimed.iter().collect::<HashSet<_>>().len(), 40);
}

/// Another run cannot settle it, nor can anybody settle it twice.
pub async fn only_who_has_it_on_its_way_settles_a_message(store: AnyStore) {
    let to = open_talk(&store, &user(1)).await;
    let id = queue(&store, "1", to).await;
    assert!(
        !finish(&store, id, "run", SendState::Sent).await,
        "it was not claimed"
    );
    claim(&store, "run").await;
    assert!(!finish(&store, id, "other run", SendState::Sent).await);
    assert!(finish(&store, id, "run", SendState::Sent).await);
    assert!(!finish(&store, id, "run", SendState::Failed).await);
    assert!(!finish(&store, SendId::new(404), "run", SendState::Sent).await);
    assert_eq!(found(&store, id).await.state, SendState::Sent);
}

/// Queued ones and those of the living run stay.
pub async fn what_dead_runs_had_on_their_way_is_abandoned(store: AnyStore) {
    let mut ids = Vec::new();
    for number in 0..4 {
        let to = open_talk(&store, &user(number)).await;
        ids.push(queue(&store, &number.to_string(), to).await);
    }
    for run in ["dead", "dead too", "living"] {
        claim(&store, run).await;
    }
    let abandon = async || {
        write(&store, |unit| {
            unit.edit_sends()
                .abandon_sends(Dead::AllBut("living"), "interrupted", after(8))
        })
        .await
    };
    let abandoned: Vec<_> = abandon().await.into_iter().map(|send| send.id).collect();
    assert_eq!(abandoned, ids[..2]);
    let states: Vec<_> = [
        found(&store, ids[0]).await,
        found(&store, ids[1]).await,
        found(&store, ids[2]).await,
        found(&store, ids[3]).await,
    ]
    .into_iter()
    .map(|send| (send.state, send.reason, send.finished_at))
    .collect();
    let unknown = (SendState::Unknown, Some("interrupted".to_owned()), Some(after(8)));
    assert_eq!(
        states,
        [
            unknown.clone(),
            unknown,
            (SendState::Sending, None, None),
            (SendState::Queued, None, None)
        ]
    );
    assert_eq!(abandon().await, []);
    let queued = ids[3];
    assert!(!write(&store, move |unit| unit.edit_sends().mark_resent(queued)).await);
    assert!(!finish(&store, ids[0], "dead", SendState::Sent).await);
}

pub async fn messages_are_open_until_all_are_settled(store: AnyStore) {
    let to = open_talk(&store, &user(1)).await;
    let id = queue(&store, "1", to).await;
    assert!(any_open(&store).await);
    claim(&store, "run").await;
    assert!(any_open(&store).await);
    finish(&store, id, "run", SendState::Failed).await;
    assert!(!any_open(&store).await);
}
