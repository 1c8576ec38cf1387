//! Messages of ours on their way.

use std::collections::HashSet;
use std::sync::Arc;

use crm_domain::conversations::ConversationId;
use crm_domain::instant::Instant;
use crm_domain::members::Role;
use crm_domain::sends::{
    Author, CANCELLED, NewSend, Queued, RESENT, Send, SendId, SendState, TREATED, Treated, Urgency,
};

use super::AnyStore;
use super::steps::{add_activities, add_customer, at_once, open_talk, read, write};
use crate::fixtures::{after, customer_details, new_member, new_send, sent_in, start, talk, text, user};

async fn add(store: &AnyStore, new: NewSend) -> Queued {
    write(store, move |unit| unit.edit_sends().add_send(&new)).await
}

async fn queue(store: &AnyStore, key: &str, to: ConversationId) -> SendId {
    match add(store, new_send(key, to, key, start())).await {
        Queued::Added(id) => id,
        Queued::Existed(_) => panic!("{key} is new"),
    }
}

async fn found(store: &AnyStore, id: SendId) -> Send {
    let found = read(store, move |unit| unit.sends().send(id)).await;
    found.expect("the message is there")
}

async fn claim(store: &AnyStore, run: &'static str) -> Option<Send> {
    claim_at(store, run, Urgency::Bulk, after(1)).await
}

async fn claim_at(store: &AnyStore, run: &'static str, least: Urgency, at: Instant) -> Option<Send> {
    write(store, move |unit| unit.edit_sends().claim_send(run, least, at)).await
}

async fn claim_id(store: &AnyStore) -> Option<SendId> {
    claim(store, "run").await.map(|send| send.id)
}

async fn finish(store: &AnyStore, id: SendId, run: &'static str, state: SendState) -> bool {
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
            unit.edit_sends().abandon_sends("living", "interrupted", after(8))
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

async fn queue_as(store: &AnyStore, key: &str, to: ConversationId, urgency: Urgency) -> SendId {
    let new = NewSend {
        urgency,
        ..new_send(key, to, key, start())
    };
    add(store, new).await.id()
}

async fn put_back(
    store: &AnyStore,
    id: SendId,
    run: &'static str,
    reason: &'static str,
    next: Instant,
) -> bool {
    write(store, move |unit| {
        unit.edit_sends().requeue_send(id, run, Some(reason), next)
    })
    .await
}

/// The most urgent of all conversations first, the oldest of equal ones, and of a conversation the oldest, which becomes as
/// urgent as what waits behind it.
pub async fn the_most_urgent_is_claimed_and_lifts_what_is_before_it(store: AnyStore) {
    let (a, b, c) = (
        open_talk(&store, &user(1)).await,
        open_talk(&store, &user(2)).await,
        open_talk(&store, &user(3)).await,
    );
    let bulk_a = queue_as(&store, "a1", a, Urgency::Bulk).await;
    let bulk_b = queue_as(&store, "b1", b, Urgency::Bulk).await;
    let message = queue_as(&store, "c1", c, Urgency::Message).await;
    queue_as(&store, "b2", b, Urgency::Answer).await;
    let lifted = found(&store, bulk_b).await;
    assert_eq!(lifted.urgency, Urgency::Answer);
    assert_eq!(found(&store, bulk_a).await.urgency, Urgency::Bulk);
    let first = claim_at(&store, "run", Urgency::Message, after(1)).await;
    assert_eq!(first.map(|send| send.id), Some(bulk_b));
    let second = claim_at(&store, "run", Urgency::Message, after(1)).await;
    assert_eq!(second.map(|send| send.id), Some(message));
    assert_eq!(claim_at(&store, "run", Urgency::Message, after(1)).await, None);
    assert_eq!(claim_id(&store).await, Some(bulk_a));
}

/// It keeps its place: what is behind it in its conversation waits with it.
pub async fn a_message_put_back_waits_for_its_next_try(store: AnyStore) {
    let to = open_talk(&store, &user(1)).await;
    let id = queue(&store, "1", to).await;
    let behind = queue(&store, "2", to).await;
    assert!(
        !put_back(&store, id, "run", "rate_limited", after(30)).await,
        "it was not claimed"
    );
    claim(&store, "run").await;
    assert!(!put_back(&store, id, "other run", "rate_limited", after(30)).await);
    assert!(put_back(&store, id, "run", "rate_limited", after(30)).await);
    let waiting = found(&store, id).await;
    assert_eq!((waiting.state, waiting.tries), (SendState::Queued, 1));
    assert_eq!(
        (waiting.reason.as_deref(), waiting.next_try_at),
        (Some("rate_limited"), Some(after(30)))
    );
    assert_eq!(claim_at(&store, "run", Urgency::Bulk, after(29)).await, None);
    let again = claim_at(&store, "run", Urgency::Bulk, after(30))
        .await
        .expect("it is due");
    assert_eq!((again.id, again.next_try_at), (id, None));
    assert!(finish(&store, id, "run", SendState::Sent).await);
    assert_eq!(claim_id(&store).await, Some(behind));
}

pub async fn a_next_try_that_a_clock_put_back_has_left_far_ahead_is_due(store: AnyStore) {
    let to = open_talk(&store, &user(1)).await;
    let id = queue(&store, "1", to).await;
    claim(&store, "run").await;
    put_back(&store, id, "run", "no_connection", after(10)).await;
    let earlier = claim_at(&store, "run", Urgency::Bulk, after(-3_600)).await;
    assert_eq!(earlier.map(|send| send.id), Some(id));
}

/// By waking, and by another message to the same person; but not what has to wait for another reason.
pub async fn what_waits_for_a_connection_is_woken(store: AnyStore) {
    let (a, b) = (
        open_talk(&store, &user(1)).await,
        open_talk(&store, &user(2)).await,
    );
    let (line, limit) = (queue(&store, "a", a).await, queue(&store, "b", b).await);
    for (id, reason) in [(line, "no_connection"), (limit, "rate_limited")] {
        claim(&store, "run").await;
        put_back(&store, id, "run", reason, after(300)).await;
    }
    let wake = async || {
        write(&store, |unit| unit.edit_sends().wake_sends(&["no_connection"])).await;
    };
    wake().await;
    assert_eq!(found(&store, line).await.next_try_at, None);
    assert_eq!(found(&store, limit).await.next_try_at, Some(after(300)));
    claim(&store, "run").await;
    put_back(&store, line, "run", "no_connection", after(300)).await;
    queue(&store, "a2", a).await;
    queue(&store, "b2", b).await;
    assert_eq!(found(&store, line).await.next_try_at, None);
    assert_eq!(found(&store, limit).await.next_try_at, Some(after(300)));
}

pub async fn only_its_run_may_let_a_message_leave(store: AnyStore) {
    let to = open_talk(&store, &user(1)).await;
    let id = queue(&store, "1", to).await;
    let leaves = async |run: &'static str| {
        write(&store, move |unit| {
            unit.edit_sends().depart_send(id, run, after(2))
        })
        .await
    };
    assert!(!leaves("run").await, "it was not claimed");
    claim(&store, "run").await;
    assert!(!leaves("other run").await);
    assert!(leaves("run").await);
    assert!(finish(&store, id, "run", SendState::Unknown).await);
    assert!(!leaves("run").await);
}

/// Of one who takes it back and one who sends it, one wins.
pub async fn only_a_waiting_message_is_cancelled(store: AnyStore) {
    let to = open_talk(&store, &user(1)).await;
    let cancel =
        async |id: SendId| write(&store, move |unit| unit.edit_sends().cancel_send(id, after(3))).await;
    let id = queue(&store, "1", to).await;
    assert!(cancel(id).await);
    assert!(!cancel(id).await);
    let gone = found(&store, id).await;
    assert_eq!(
        (gone.state, gone.reason.as_deref(), gone.finished_at),
        (SendState::Failed, Some(CANCELLED), Some(after(3)))
    );
    assert_eq!(claim_id(&store).await, None);
    let id = queue(&store, "2", to).await;
    claim(&store, "run").await;
    assert!(!cancel(id).await, "it is on its way");
    finish(&store, id, "run", SendState::Sent).await;
    assert!(!cancel(id).await);
}

pub async fn only_what_is_not_known_is_treated_as_sent(store: AnyStore) {
    let to = open_talk(&store, &user(1)).await;
    let by = Author {
        member_id: None,
        name: "花子".to_owned(),
    };
    let treat = async |id: SendId| {
        let by = by.clone();
        write(&store, move |unit| {
            unit.edit_sends().treat_send(id, &by, after(9))
        })
        .await
    };
    let id = queue(&store, "1", to).await;
    assert!(!treat(id).await);
    claim(&store, "run").await;
    finish(&store, id, "run", SendState::Unknown).await;
    assert!(treat(id).await);
    assert!(!treat(id).await);
    let treated = found(&store, id).await;
    assert_eq!(
        (treated.state, treated.reason.as_deref()),
        (SendState::Sent, Some(TREATED))
    );
    assert_eq!(
        treated.treated,
        Some(Treated {
            by: by.clone(),
            at: after(9)
        })
    );
    assert_eq!(treated.finished_at, Some(after(2)), "when it went out");
    let resent = queue(&store, "2", to).await;
    claim(&store, "run").await;
    finish(&store, resent, "run", SendState::Unknown).await;
    assert!(write(&store, move |unit| unit.edit_sends().mark_resent(resent)).await);
    assert!(!treat(resent).await, "it was sent again");
    assert_eq!(found(&store, resent).await.reason.as_deref(), Some(RESENT));
}

/// Until it is sent again, treated as sent, taken back or deleted on every page.
pub async fn a_message_in_trouble_is_counted(store: AnyStore) {
    let (to, other) = (
        open_talk(&store, &user(1)).await,
        open_talk(&store, &user(2)).await,
    );
    let customer = add_customer(&store, &customer_details("山田", "太郎")).await;
    let troubled = async || read(&store, move |unit| unit.sends().troubled_sends(to)).await;
    let mut ids = Vec::new();
    for (key, state) in [
        ("1", SendState::Failed),
        ("2", SendState::Unknown),
        ("3", SendState::Unknown),
        ("4", SendState::Sent),
    ] {
        let id = queue(&store, key, to).await;
        add_activities(&store, vec![sent_in(to, customer, id, key, start())]).await;
        claim(&store, "run").await;
        finish(&store, id, "run", state).await;
        ids.push(id);
    }
    let elsewhere = queue(&store, "5", other).await;
    claim(&store, "run").await;
    finish(&store, elsewhere, "run", SendState::Failed).await;
    assert_eq!(troubled().await, 3);
    let (failed, resent, treated) = (ids[0], ids[1], ids[2]);
    let by = found(&store, failed).await.author;
    write(&store, move |unit| unit.edit_sends().mark_resent(resent)).await;
    assert_eq!(troubled().await, 2);
    write(&store, move |unit| {
        unit.edit_sends().treat_send(treated, &by, after(9))
    })
    .await;
    assert_eq!(troubled().await, 1);
    write(&store, move |unit| {
        unit.edit_activities().delete_activities_of_send(failed, after(9))
    })
    .await;
    assert_eq!(troubled().await, 0);
    let cancelled = queue(&store, "6", to).await;
    write(&store, move |unit| {
        unit.edit_sends().cancel_send(cancelled, after(9))
    })
    .await;
    assert_eq!(troubled().await, 0);
    let unseen = read(&store, move |unit| unit.sends().troubled_sends(other)).await;
    assert_eq!(unseen, 1, "also what stands on no page");
}
