//! Units that change the same rows do so in one order: none waits for another that waits for it.

use std::time::{Duration, Instant};

use crm_testkit::contract::jobs;

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
