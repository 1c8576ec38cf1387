//! The index of what messages say.

use std::sync::Arc;

use crm_domain::ports::store::{StoreError, StoreExt as _};
use crm_testkit::fixtures::after;
use crm_testkit::saying::{customer_who_said, found};

use crate::common::{new_store, run};

/// Two instances may do it at the same time: one of them was frozen, and its lease is over.
#[test]
fn what_an_older_program_wrote_is_taken_in_once_by_however_many() {
    run(async {
        let (database, store) = new_store();
        let (customer, _) = customer_who_said(&*store, &["見積 新"]).await;
        database.sql(&format!(
            "INSERT INTO activities (customer_id, message, timestamp)
             SELECT {customer}, '見積 ' || number, '2025-07-08 02:45:46.446' FROM generate_series(1, 300) AS number"
        ));
        assert_eq!(found(&*store, "見積").await, ["見積 新"]);
        let both: Vec<_> = (0..2)
            .map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    loop {
                        let part = store
                            .write::<_, StoreError, _>(|unit| unit.edit_activities().index_activities(50));
                        if part.await.unwrap() == 0 {
                            break;
                        }
                    }
                })
            })
            .collect();
        for one in both {
            one.await.unwrap();
        }
        assert_eq!(found(&*store, "見積").await.len(), 301);
        assert_eq!(database.sql("SELECT count(*) FROM activity_words").trim(), "301");
    });
}

#[test]
fn nothing_of_an_erased_message_stays_in_the_index() {
    run(async {
        let (database, store) = new_store();
        let (gone, _) = customer_who_said(&*store, &["薔薇と鬱金香", "見積"]).await;
        customer_who_said(&*store, &["見積"]).await;
        let erased =
            store.write::<_, StoreError, _>(move |unit| unit.edit_erasures().erase_page(gone, 100, after(1)));
        erased.await.unwrap();
        let left = "SELECT count(*), sum(length(words)) FROM activity_words";
        assert_eq!(database.sql(left).trim(), "1|2");
        assert_eq!(found(&*store, "見積").await, ["見積"]);
    });
}
