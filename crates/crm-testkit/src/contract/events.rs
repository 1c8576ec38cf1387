//! Events.

use crm_domain::companies::CompanyId;
use crm_domain::conversations::ConversationId;
use crm_domain::customers::CustomerId;
use crm_domain::events::{Event, EventCursor, EventKind, NewEvent};
use crm_domain::members::MemberId;
use crm_domain::ports::store::{StoreError, StoreExt};

use super::AnyStore;
use super::steps::{at_once, read, write};
use crate::fixtures::{after, start};

async fn add(store: &AnyStore, events: Vec<NewEvent>) {
    write(store, move |unit| unit.edit_events().add_events(&events)).await;
}

async fn cursor(store: &AnyStore) -> EventCursor {
    read(store, |unit| unit.events().event_cursor()).await
}

async fn since(store: &AnyStore, seq: i64, limit: usize) -> Vec<Event> {
    read(store, move |unit| unit.events().events_after(seq, limit)).await
}

fn message(conversation: i64) -> NewEvent {
    NewEvent::new(EventKind::Message, start()).conversation(ConversationId::new(conversation))
}

/// Every kind, with all ids and with none.
pub async fn an_added_event_is_found_as_it_was(store: AnyStore) {
    let mut new: Vec<NewEvent> = EventKind::ALL
        .into_iter()
        .map(|kind| NewEvent::new(kind, after(3)))
        .collect();
    new.push(
        message(1)
            .customer(CustomerId::new(2))
            .company(CompanyId::new(3))
            .only_for(MemberId::new(4)),
    );
    add(&store, new.clone()).await;
    let found: Vec<NewEvent> = since(&store, 0, 99)
        .await
        .into_iter()
        .map(|event| event.what)
        .collect();
    assert_eq!(found, new);
}

/// The order is that of adding, and the place in it is the event's number.
pub async fn what_came_after_a_place_comes_oldest_first(store: AnyStore) {
    assert_eq!(cursor(&store).await.seq, 0);
    add(&store, (1..=3).map(message).collect()).await;
    let middle = cursor(&store).await;
    add(&store, (4..=6).map(message).collect()).await;
    let conversations = |events: Vec<Event>| -> Vec<_> {
        events
            .into_iter()
            .map(|event| event.what.conversation_id.map_or(0, ConversationId::get))
            .collect()
    };
    assert_eq!(conversations(since(&store, middle.seq, 2).await), [4, 5]);
    assert_eq!(conversations(since(&store, middle.seq, 9).await), [4, 5, 6]);
    let end = cursor(&store).await;
    assert_eq!(end.epoch, middle.epoch);
    assert!(since(&store, end.seq, 9).await.is_empty());
}

/// The epoch is a name without dashes.
pub async fn the_epoch_stays_the_same(store: AnyStore) {
    let first = cursor(&store).await;
    add(&store, vec![message(1)]).await;
    let second = cursor(&store).await;
    assert_eq!(first.epoch, second.epoch);
    assert_eq!(second.to_string().parse(), Ok(second));
}

/// Neither an event nor a hole is left.
pub async fn a_unit_that_errs_adds_no_event(store: AnyStore) {
    add(&store, vec![message(1)]).await;
    let before = cursor(&store).await;
    let failed: Result<(), StoreError> = store
        .write(|unit| {
            unit.edit_events().add_events(&[message(2)])?;
            Err(StoreError::Stale("test"))
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(cursor(&store).await, before);
}

/// A reader that follows misses none, whoever commits first.
pub async fn who_follows_misses_none_of_many_at_once(store: AnyStore) {
    let writers = at_once(40, |number| {
        let store = AnyStore::clone(&store);
        async move { add(&store, vec![message(i64::try_from(number).unwrap_or(0) + 1)]).await }
    });
    let follower = async {
        let (mut seen, mut last) = (Vec::new(), 0);
        while seen.len() < 40 {
            for event in since(&store, last, 7).await {
                assert!(event.seq > last, "ascending");
                last = event.seq;
                seen.push(event.what.conversation_id.map_or(0, ConversationId::get));
            }
            tokio::task::yield_now().await;
        }
        seen
    };
    let (_, mut seen) = tokio::join!(writers, follower);
    seen.sort_unstable();
    assert_eq!(seen, (1..=40).collect::<Vec<_>>());
}

/// By age and by number; numbers go on where they were.
pub async fn old_events_are_forgotten_but_never_the_newest(store: AnyStore) {
    let at = |seconds| NewEvent::new(EventKind::Send, after(seconds));
    add(&store, (0..10).map(at).collect()).await;
    let prune_some = |before, keep, limit| {
        write(&store, move |unit| {
            unit.edit_events().prune_events(after(before), keep, limit)
        })
    };
    let prune = |before, keep| prune_some(before, keep, 100);
    let end = cursor(&store).await;
    assert_eq!(prune_some(4, 100, 3).await, 3, "a part at a time");
    assert_eq!(prune(4, 100).await, 1);
    assert_eq!(prune(4, 3).await, 3);
    assert_eq!(since(&store, 0, 99).await.len(), 3);
    assert_eq!(prune(1_000, 0).await, 2);
    assert_eq!(cursor(&store).await, end);
    let oldest = read(&store, |unit| unit.events().oldest_event()).await;
    assert_eq!(oldest, Some(end.seq));
    add(&store, vec![at(11)]).await;
    assert!(cursor(&store).await.seq > end.seq);
}
