//! Waitings.

use crm_domain::conversations::ConversationId;
use crm_domain::waitings::{Ended, Waiting, WaitingEnd, WaitingId};

use super::AnyStore;
use super::steps::{open_talk, read, write};
use crate::fixtures::{after, user};

async fn of(store: &AnyStore, id: ConversationId) -> Vec<Waiting> {
    read(store, move |unit| unit.waitings().waitings_of(id, 9)).await
}

async fn note(store: &AnyStore, id: ConversationId, seconds: i64) {
    write(store, move |unit| {
        unit.edit_waitings().note_waiting(id, after(seconds))
    })
    .await;
}

fn closed(seconds: i64) -> Ended {
    Ended {
        until: after(seconds),
        how: WaitingEnd::Closed,
        by: None,
        first_response_at: None,
    }
}

async fn end(store: &AnyStore, id: ConversationId, ended: Ended) -> Option<WaitingId> {
    write(store, move |unit| unit.edit_waitings().end_waiting(id, &ended)).await
}

pub async fn a_conversation_waits_at_most_once_at_a_time(store: AnyStore) {
    let (id, other) = (
        open_talk(&store, &user(1)).await,
        open_talk(&store, &user(2)).await,
    );
    note(&store, id, 5).await;
    note(&store, id, 3).await;
    note(&store, other, 9).await;
    let found = of(&store, id).await;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].since, found[0].ended.clone(), found[0].conversation_id),
        (after(3), None, id)
    );
}

pub async fn an_ended_waiting_is_kept_as_it_was(store: AnyStore) {
    let id = open_talk(&store, &user(1)).await;
    assert_eq!(end(&store, id, closed(1)).await, None);
    note(&store, id, 1).await;
    let answered = Ended {
        until: after(4),
        how: WaitingEnd::Answered,
        by: None,
        first_response_at: Some(after(3)),
    };
    let ended = end(&store, id, answered.clone()).await;
    assert!(ended.is_some());
    assert_eq!(end(&store, id, closed(5)).await, None, "once");
    note(&store, id, 6).await;
    let found = of(&store, id).await;
    assert_eq!(found.len(), 2, "newest first");
    assert_eq!((found[0].since, found[0].ended.clone()), (after(6), None));
    assert_eq!(
        (Some(found[1].id), found[1].since, found[1].ended.clone()),
        (ended, after(1), Some(answered))
    );
    assert_eq!(
        read(&store, move |unit| unit.waitings().waitings_of(id, 1)).await,
        found[..1]
    );
}

pub async fn an_end_is_taken_back_unless_another_has_begun(store: AnyStore) {
    let id = open_talk(&store, &user(1)).await;
    note(&store, id, 1).await;
    let first = end(&store, id, closed(2)).await.expect("it lasted");
    let resume = |waiting| write(&store, move |unit| unit.edit_waitings().resume_waiting(waiting));
    let look = async || {
        read(&store, move |unit| {
            let waitings = unit.waitings();
            Ok((waitings.open_waiting(id)?, waitings.resumable_waiting(first)?))
        })
        .await
    };
    assert_eq!(look().await, (None, Some(after(1))));
    assert_eq!(resume(first).await, Some(after(1)));
    assert_eq!(look().await, (Some(first), None));
    assert_eq!(resume(first).await, None, "it lasts");
    assert_eq!(of(&store, id).await[0].ended, None);
    end(&store, id, closed(3)).await;
    note(&store, id, 4).await;
    let (open, resumable) = look().await;
    assert!(open.is_some_and(|open| open != first) && resumable.is_none());
    assert_eq!(resume(first).await, None);
    assert_eq!(resume(WaitingId::new(404)).await, None);
}
