//! Events.

use crm_domain::companies::CompanyId;
use crm_domain::conversations::ConversationId;
use crm_domain::customers::CustomerId;
use crm_domain::events::{Event, EventCursor, EventKind, EventPlace, NewEvent};
use crm_domain::members::MemberId;
use crm_domain::ports::store::{StoreError, StoreExt};

use super::AnyStore;
use super::steps::{at_once, read, write};
use crate::fixtures::{after, start};

/// Before the first event.
const FIRST: EventPlace = EventPlace { xid: 0, seq: 0 };

/// Adds them and waits until they are seen: what others do on the same server may hold them up for a moment.
async fn add(store: &AnyStore, events: Vec<NewEvent>) {
    let expected = since(store, FIRST, 9_999).await.len() + events.len();
    write(store, move |unit| unit.edit_events().add_events(&events)).await;
    let begun = std::time::Instant::now();
    while since(store, FIRST, 9_999).await.len() < expected {
        assert!(begun.elapsed().as_secs() < 10, "added events are not seen");
        tokio::task::yield_now().await;
    }
}

async fn cursor(store: &AnyStore) -> EventCursor {
    read(store, |unit| unit.events().event_cursor()).await
}

async fn has(store: &AnyStore, place: EventPlace) -> bool {
    read(store, move |unit| unit.events().has_event(place)).await
}

async fn since(store: &AnyStore, place: EventPlace, limit: usize) -> Vec<Event> {
    read(store, move |unit| unit.events().events_after(place, limit)).await
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
    let found: Vec<NewEvent> = since(&store, FIRST, 99)
        .await
        .into_iter()
        .map(|event| event.what)
        .collect();
    assert_eq!(found, new);
}

/// The order is that of adding, and the place in it is the event's number.
pub async fn what_came_after_a_place_comes_oldest_first(store: AnyStore) {
    assert_eq!(cursor(&store).await.place, FIRST);
    add(&store, (1..=3).map(message).collect()).await;
    let middle = cursor(&store).await;
    add(&store, (4..=6).map(message).collect()).await;
    let conversations = |events: Vec<Event>| -> Vec<_> {
        events
            .into_iter()
            .map(|event| event.what.conversation_id.map_or(0, ConversationId::get))
            .collect()
    };
    assert_eq!(conversations(since(&store, middle.place, 2).await), [4, 5]);
    assert_eq!(conversations(since(&store, middle.place, 9).await), [4, 5, 6]);
    let end = cursor(&store).await;
    assert!(has(&store, middle.place).await && has(&store, end.place).await);
    let beyond = EventPlace {
        seq: end.place.seq + 1,
        ..end.place
    };
    assert!(!has(&store, beyond).await && !has(&store, FIRST).await);
    assert_eq!(end.epoch, middle.epoch);
    assert!(since(&store, end.place, 9).await.is_empty());
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
        let (mut seen, mut last) = (Vec::new(), FIRST);
        while seen.len() < 40 {
            for event in since(&store, last, 7).await {
                assert!(event.place > last, "ascending");
                last = event.place;
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
    assert_eq!(since(&store, FIRST, 99).await.len(), 3);
    let forgotten = read(&store, |unit| unit.events().events_forgotten()).await;
    assert!(forgotten > FIRST && since(&store, forgotten, 99).await.len() == 3);
    assert_eq!(prune(1_000, 0).await, 2);
    assert_eq!(cursor(&store).await, end);
    let forgotten = read(&store, |unit| unit.events().events_forgotten()).await;
    assert!(forgotten < end.place);
    let left: Vec<EventPlace> = since(&store, forgotten, 99)
        .await
        .iter()
        .map(|event| event.place)
        .collect();
    assert_eq!(left, [end.place]);
    add(&store, vec![at(11)]).await;
    assert!(cursor(&store).await.place > end.place);
}

/// Under another name, with nothing of the old one.
pub async fn a_new_epoch_begins_without_events(store: AnyStore) {
    add(&store, (1..=9).map(message).collect()).await;
    let at = |seconds| NewEvent::new(EventKind::Send, after(seconds));
    write(&store, |unit| unit.edit_events().prune_events(after(1), 3, 100)).await;
    let old = cursor(&store).await;
    write(&store, |unit| unit.edit_events().renew_epoch()).await;
    let new = cursor(&store).await;
    assert!(new.epoch != old.epoch && new.place == FIRST);
    let forgotten = read(&store, |unit| unit.events().events_forgotten()).await;
    assert_eq!(forgotten, FIRST);
    add(&store, vec![at(1)]).await;
    assert_eq!(since(&store, FIRST, 9).await.len(), 1);
    assert_eq!(cursor(&store).await.epoch, new.epoch);
}

/// A store's own events are never taken for another's.
pub async fn own_events_are_not_foreign(store: AnyStore) {
    let foreign =
        |store: AnyStore| async move { read(&store, |unit| unit.events().events_are_foreign()).await };
    assert!(!foreign(AnyStore::clone(&store)).await);
    add(&store, (1..=3).map(message).collect()).await;
    assert!(!foreign(store).await);
}
