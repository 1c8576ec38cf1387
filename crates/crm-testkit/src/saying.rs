//! Messages by what they say, on any store.

use crm_domain::activities::{Activity, ActivityId};
use crm_domain::customers::CustomerId;
use crm_domain::ports::store::{Store, StoreError, StoreExt as _};
use crm_domain::teams::Visible;
use crm_domain::values::SearchWords;

use crate::fixtures::{customer_details, received, start};

/// More than any search of a test finds.
const ALL: usize = 10_000;

/// A customer who said this, and the messages.
pub async fn customer_who_said<S: Store + ?Sized>(
    store: &S,
    messages: &[&str],
) -> (CustomerId, Vec<ActivityId>) {
    let messages: Vec<String> = messages.iter().map(|&message| message.to_owned()).collect();
    let added = store.write::<_, StoreError, _>(move |unit| {
        let customer = unit
            .edit_customers()
            .add_customer(&customer_details("山田", "太郎"), start())?;
        let said: Vec<_> = messages
            .iter()
            .map(|message| received(customer, message, start()))
            .collect();
        Ok((customer, unit.edit_activities().add_activities(&said)?))
    });
    added.await.expect("they are stored")
}

/// What a search finds that takes everything.
pub async fn found<S: Store + ?Sized>(store: &S, typed: &str) -> Vec<String> {
    let words = SearchWords::new(typed).expect("there is a word");
    let found = store.read::<_, StoreError, _>(move |unit| {
        unit.activities()
            .activities_saying(&words, None, ALL, &Visible::All)
    });
    let found = found.await.expect("the store can be read");
    assert_eq!(found.next, None, "{typed}");
    let said = |message: Activity| message.message;
    found.items.into_iter().map(said).collect()
}
