//! The index of what messages say.

use std::path::Path;

use crm_domain::ports::store::{Store as _, StoreError, StoreExt as _};
use crm_domain::values::search_words::pairs;
use crm_sqlite::SqliteStore;
use crm_testkit::fixtures::after;
use crm_testkit::saying::{customer_who_said, found};
use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::common::{new_store, number, other_program, run};

async fn take_in(store: &SqliteStore, limit: usize) -> usize {
    let taken = store.write::<_, StoreError, _>(move |unit| unit.edit_activities().index_activities(limit));
    taken.await.unwrap()
}

/// How often each message stands in the index.
fn entries(path: &Path) -> Vec<(i64, i64)> {
    let mut conn = other_program(path);
    conn.batch_execute("CREATE VIRTUAL TABLE temp.entries USING fts5vocab(main, activity_words, instance)")
        .unwrap();
    sql::<(BigInt, BigInt)>("SELECT doc, count(*) FROM temp.entries GROUP BY doc ORDER BY doc")
        .load(&mut conn)
        .unwrap()
}

fn terms(path: &Path) -> Vec<String> {
    let mut conn = other_program(path);
    conn.batch_execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, activity_words, row)")
        .unwrap();
    sql::<Text>("SELECT term FROM temp.terms")
        .load(&mut conn)
        .unwrap()
}

#[test]
fn nothing_of_an_erased_message_stays_in_the_index() {
    run(async {
        let (_folder, path, store) = new_store().await;
        let (gone, _) = customer_who_said(&*store, &["薔薇と鬱金香", "薔薇", "見積"]).await;
        let (_, kept) = customer_who_said(&*store, &["見積"]).await;
        let rose = pairs("薔薇")[0].to_string();
        assert!(terms(&path).contains(&rose));
        store.scrub().await.unwrap();
        let erased =
            store.write::<_, StoreError, _>(move |unit| unit.edit_erasures().erase_page(gone, 100, after(1)));
        erased.await.unwrap();
        assert_eq!(entries(&path), [(kept[0].get(), 2)]);
        let left = terms(&path);
        assert_eq!(left.len(), 2, "{left:?}");
        store.scrub().await.unwrap();
        // The end of a term is written out, whatever its beginning shares with the term before.
        let tail = &rose.as_bytes()[3..];
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(tail.len()).any(|part| part == tail));
        assert_eq!(found(&*store, "見積").await, ["見積"]);
    });
}

#[test]
fn what_an_older_program_wrote_is_taken_in_newest_first() {
    run(async {
        let (_folder, path, store) = new_store().await;
        let (customer, _) = customer_who_said(&*store, &["見積 新"]).await;
        let older = "INSERT INTO activities (customer_id, message, timestamp) VALUES";
        let at = "'2025-07-08 02:45:46.446'";
        other_program(&path)
            .batch_execute(&format!(
                "{older} ({customer}, '見積 一', {at}), ({customer}, '', {at}), ({customer}, '見積 二', {at})"
            ))
            .unwrap();
        assert_eq!(found(&*store, "見積").await, ["見積 新"]);
        assert_eq!(take_in(&store, 1).await, 1);
        assert_eq!(found(&*store, "見積").await, ["見積 二", "見積 新"]);
        assert_eq!((take_in(&store, 10).await, take_in(&store, 10).await), (2, 0));
        assert_eq!(found(&*store, "見積").await, ["見積 二", "見積 一", "見積 新"]);
        assert_eq!(
            number(&path, "SELECT count(*) FROM activities WHERE NOT indexed"),
            0
        );
    });
}

/// Finding what is left must not walk through all messages.
#[test]
fn what_is_not_taken_in_is_found_by_its_index() {
    run(async {
        let (_folder, path, _store) = new_store().await;
        for query in [
            "SELECT 1 FROM activities WHERE NOT (activities.indexed)",
            "SELECT id, message FROM activities WHERE NOT (activities.indexed) ORDER BY id DESC LIMIT 10",
        ] {
            let plan: Vec<String> =
                sql::<(BigInt, BigInt, BigInt, Text)>(&format!("EXPLAIN QUERY PLAN {query}"))
                    .load::<(i64, i64, i64, String)>(&mut other_program(&path))
                    .unwrap()
                    .into_iter()
                    .map(|step| step.3)
                    .collect();
            assert!(plan.concat().contains("activities_not_indexed"), "{plan:?}");
            assert!(!plan.concat().contains("TEMP B-TREE"), "{plan:?}");
        }
    });
}
