//! Events where units overlap: numbers and transactions are not given in the order of commits.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use crm_domain::conversations::ConversationId;
use crm_domain::events::{Event, EventCursor, EventKind, EventPlace, NewEvent};
use crm_domain::ports::store::{StoreError, StoreExt};
use crm_postgres::PostgresStore;
use crm_testkit::fixtures::start;
use tokio::task::JoinHandle;

use crate::common::{new_store, options, run};

const PATIENCE: Duration = Duration::from_secs(10);

fn message(number: i64) -> NewEvent {
    NewEvent::new(EventKind::Message, start()).conversation(ConversationId::new(number))
}

async fn add(store: &PostgresStore, number: i64) {
    let added = store
        .write::<_, StoreError, _>(move |unit| unit.edit_events().add_events(&[message(number)]))
        .await;
    added.unwrap();
}

/// Adds an event in a unit that is stored only when told so.
struct Slow {
    done: JoinHandle<Result<(), StoreError>>,
    go: Sender<()>,
}

impl Slow {
    async fn begin(store: &Arc<PostgresStore>, number: i64) -> Slow {
        let (added, is_added): (Sender<()>, Receiver<()>) = channel();
        let (go, may_go) = channel();
        let store = Arc::clone(store);
        let done = tokio::spawn(async move {
            store
                .write(move |unit| {
                    unit.edit_events().add_events(&[message(number)])?;
                    let _ = added.send(());
                    // Let go by dropping too.
                    let _ = may_go.recv_timeout(PATIENCE);
                    Ok(())
                })
                .await
        });
        let waited = tokio::task::spawn_blocking(move || is_added.recv_timeout(PATIENCE));
        waited.await.unwrap().unwrap();
        Slow { done, go }
    }

    async fn end(self) {
        drop(self.go);
        self.done.await.unwrap().unwrap();
    }
}

async fn cursor(store: &PostgresStore) -> EventCursor {
    let read = store.read::<_, StoreError, _>(|unit| unit.events().event_cursor());
    read.await.unwrap()
}

async fn after(store: &PostgresStore, place: EventPlace) -> Vec<Event> {
    let read = store.read::<_, StoreError, _>(move |unit| unit.events().events_after(place, 99));
    read.await.unwrap()
}

fn numbers(events: &[Event]) -> Vec<i64> {
    let number = |event: &Event| event.what.conversation_id.map_or(0, ConversationId::get);
    events.iter().map(number).collect()
}

/// Reads on until so many are there: what a moment ago was running in the database may hold them back.
async fn follow(store: &PostgresStore, mut place: EventPlace, count: usize) -> Vec<Event> {
    let mut seen = Vec::new();
    let reading = async {
        while seen.len() < count {
            let found = after(store, place).await;
            place = found.last().map_or(place, |last| last.place);
            seen.extend(found);
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.unwrap();
    seen
}

#[test]
fn an_event_of_a_unit_that_commits_later_is_not_skipped() {
    run(async {
        let (_database, store) = new_store();
        let begin = cursor(&store).await.place;
        let slow = Slow::begin(&store, 1).await;
        add(&store, 2).await;
        add(&store, 3).await;
        assert!(
            after(&store, begin).await.is_empty(),
            "nothing is handed out that others may precede"
        );
        assert_eq!(
            cursor(&store).await.place,
            begin,
            "nor does a page made now know of it"
        );
        slow.end().await;
        let seen = follow(&store, begin, 3).await;
        assert_eq!(numbers(&seen), [1, 2, 3]);
        assert!(seen.is_sorted_by(|one, next| one.place < next.place));
        assert_eq!(cursor(&store).await.place, seen.last().unwrap().place);
    });
}

#[test]
fn a_lower_number_of_a_later_transaction_comes_in_its_turn() {
    run(async {
        let (database, store) = new_store();
        let begin = cursor(&store).await.place;
        add(&store, 1).await;
        let first = follow(&store, begin, 1).await;
        // As if its number had been fetched long before.
        database.sql(
            "INSERT INTO events (id, kind, conversation_id, at) OVERRIDING SYSTEM VALUE VALUES (0, 'message', 2, now())",
        );
        let second = follow(&store, first.last().unwrap().place, 1).await;
        assert_eq!(numbers(&second), [2]);
        assert!(second.first().unwrap().place.seq < first.first().unwrap().place.seq);
    });
}

#[test]
fn a_long_transaction_of_another_database_holds_nothing_back() {
    run(async {
        let (_database, store) = new_store();
        let (_other_database, other) = new_store();
        let begin = cursor(&store).await.place;
        let slow = Slow::begin(&other, 1).await;
        add(&store, 2).await;
        assert_eq!(numbers(&follow(&store, begin, 1).await), [2]);
        slow.end().await;
    });
}

#[test]
fn events_of_a_dump_that_was_loaded_elsewhere_are_told_apart() {
    run(async {
        let (database, store) = new_store();
        add(&store, 1).await;
        let foreign = || async {
            let read = store.read::<_, StoreError, _>(|unit| unit.events().events_are_foreign());
            read.await.unwrap()
        };
        assert!(!foreign().await);
        database.sql("UPDATE events SET xid = 9000000000000000");
        assert!(foreign().await);
        let renewed = store.write::<_, StoreError, _>(|unit| unit.edit_events().renew_epoch());
        renewed.await.unwrap();
        assert!(!foreign().await);
        add(&store, 2).await;
        assert_eq!(numbers(&follow(&store, EventPlace::default(), 1).await), [2]);
    });
}

/// The order has its index: neither looking for what is new nor for the end reads the table.
#[test]
fn looking_for_what_is_new_reads_only_that() {
    run(async {
        let (database, store) = new_store();
        database.sql(
            "INSERT INTO events (kind, at) SELECT 'send', now() FROM generate_series(1, 20000); ANALYZE events",
        );
        for query in [
            "SELECT * FROM events WHERE xid < 5000000 AND xid >= 900 AND (xid > 900 OR id > 3) ORDER BY xid, id LIMIT 9",
            "SELECT xid, id FROM events WHERE xid < 5000000 ORDER BY xid DESC, id DESC LIMIT 1",
        ] {
            let plan = database.sql(&format!("EXPLAIN {query}"));
            assert!(plan.contains("events_order") && !plan.contains("Sort"), "{plan}");
        }
        drop(PostgresStore::open(options(&database.url)).unwrap());
        drop(store);
    });
}
