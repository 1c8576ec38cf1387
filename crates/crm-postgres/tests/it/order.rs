//! Units that change the same rows do so in one order: none waits for another that waits for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crm_testkit::contract::jobs;
use crm_testkit::postgres::TestDatabase;

use crate::common::{new_store, run};

#[test]
fn who_writes_answers_and_closes_in_one_conversation_locks_in_one_order() {
    let (database, store) = new_store();
    run(jobs::people_write_while_they_are_answered_and_their_talks_are_closed(store));
    // What a connection counted is told at the latest when it ends.
    let begun = Instant::now();
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    while database.sql(others) != "0" {
        assert!(begun.elapsed() < Duration::from_secs(20), "connections stay open");
        std::thread::sleep(Duration::from_millis(50));
    }
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(database.sql(deadlocks), "0");
}

/// Somebody else holds the conversation for a while: whoever wants to change it waits for that with nothing of its waiting in
/// hand.
#[test]
fn who_waits_for_a_conversation_has_nothing_of_its_waiting_in_hand() {
    let (database, store) = new_store();
    let database = Arc::new(database);
    run(jobs::each_that_changes_a_waiting(store, async |name, deed| {
        let holder = Arc::clone(&database);
        let holding = tokio::task::spawn_blocking(move || {
            holder.sql("BEGIN; SELECT FROM conversations FOR UPDATE; SELECT pg_sleep(1); COMMIT")
        });
        until(
            &database,
            "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep'",
        )
        .await;
        let doing = tokio::spawn(deed);
        let waits = "wait_event_type = 'Lock' AND usename = 'crm'";
        until(
            &database,
            &format!("SELECT count(*) > 0 FROM pg_stat_activity WHERE {waits}"),
        )
        .await;
        let in_hand = database.sql(&format!(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
             WHERE {waits} AND relation = 'waitings'::regclass AND mode = 'RowExclusiveLock'"
        ));
        assert_eq!(in_hand, "0", "{name}");
        doing.await.unwrap();
        holding.await.unwrap();
    }));
}

async fn until(database: &TestDatabase, question: &str) {
    let begun = Instant::now();
    while database.sql(question) != "t" {
        assert!(begun.elapsed() < Duration::from_secs(20), "{question}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
