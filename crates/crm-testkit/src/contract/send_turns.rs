//! Messages of ours that wait for their turn, are taken back, or are in trouble.

use crm_domain::conversations::ConversationId;
use crm_domain::instant::Instant;
use crm_domain::sends::{
    Author, CANCELLED, CLAIM_LEASE, Departing, NewSend, RESENT, SendId, SendState, TREATED, Treated, Urgency,
};

use super::AnyStore;
use super::sends::{add, claim, claim_at, claim_id, finish, found, queue};
use super::steps::{add_activities, add_customer, open_talk, read, write};
use crate::fixtures::{after, customer_details, new_send, sent_in, start, user};

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
            unit.edit_sends().depart_send(id, run, after(2), CLAIM_LEASE)
        })
        .await
            == Departing::Leaves
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
