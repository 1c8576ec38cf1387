//! Counts that instances share.

use crm_domain::shared_counts::SharedCount;
use time::Duration;

use super::AnyStore;
use super::steps::{read, write};

const LATELY: Duration = Duration::minutes(10);

async fn tell(store: &AnyStore, instance: &'static str, counts: &'static [(&str, i64)]) {
    let counts: Vec<SharedCount> = counts.iter().map(|(name, count)| of(name, *count)).collect();
    write(store, move |unit| {
        unit.edit_shared_counts().tell_counts(instance, &counts)
    })
    .await;
}

async fn others(store: &AnyStore, instance: &'static str, within: Duration) -> Vec<SharedCount> {
    let mut found = read(store, move |unit| {
        unit.shared_counts().others_counts(instance, within)
    })
    .await;
    found.sort_by(|one, other| (&one.name, one.count).cmp(&(&other.name, other.count)));
    found
}

fn of(name: &str, count: i64) -> SharedCount {
    SharedCount {
        name: name.to_owned(),
        count,
    }
}

/// One's own are not among them.
pub async fn the_others_learn_what_an_instance_told(store: AnyStore) {
    tell(&store, "one", &[("api/1", 5), ("api/2", 7)]).await;
    tell(&store, "two", &[("api/1", 9)]).await;
    assert_eq!(others(&store, "one", LATELY).await, [of("api/1", 9)]);
    assert_eq!(
        others(&store, "three", LATELY).await,
        [of("api/1", 5), of("api/1", 9), of("api/2", 7)]
    );
}

/// What it does not name stays as it was.
pub async fn telling_again_replaces_the_same_names(store: AnyStore) {
    tell(&store, "one", &[("api/1", 5), ("api/2", 7)]).await;
    tell(&store, "one", &[("api/1", 0)]).await;
    tell(&store, "one", &[]).await;
    assert_eq!(
        others(&store, "two", LATELY).await,
        [of("api/1", 0), of("api/2", 7)]
    );
}

pub async fn what_was_told_long_ago_counts_no_more(store: AnyStore) {
    tell(&store, "one", &[("api/1", 5)]).await;
    assert_eq!(others(&store, "two", Duration::ZERO).await, []);
    let forget = |age| write(&store, move |unit| unit.edit_shared_counts().forget_counts(age));
    assert_eq!(forget(LATELY).await, 0);
    assert_eq!(forget(Duration::ZERO).await, 1);
    assert_eq!(others(&store, "two", LATELY).await, []);
}
