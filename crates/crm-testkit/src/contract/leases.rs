//! Leases. One that lasts no time at all is over at once, so that no case has to wait.

use std::sync::Arc;

use crm_domain::leases::Lease;
use time::Duration;

use super::AnyStore;
use super::steps::{at_once, read, write};

const LONG: Duration = Duration::minutes(10);

async fn take(store: &AnyStore, name: &'static str, owner: &'static str, lasts: Duration) -> bool {
    write(store, move |unit| {
        unit.edit_leases().take_lease(name, owner, lasts)
    })
    .await
}

async fn give_back(store: &AnyStore, name: &'static str, owner: &'static str) {
    write(store, move |unit| unit.edit_leases().give_back_lease(name, owner)).await;
}

async fn found(store: &AnyStore, name: &'static str) -> Option<Lease> {
    read(store, move |unit| unit.leases().lease(name)).await
}

async fn owner(store: &AnyStore, name: &'static str) -> Option<(String, i64)> {
    found(store, name).await.map(|lease| (lease.owner, lease.number))
}

pub async fn a_living_lease_is_not_taken_by_another(store: AnyStore) {
    assert_eq!(found(&store, "job").await, None);
    assert!(take(&store, "job", "a", LONG).await);
    assert!(!take(&store, "job", "b", LONG).await);
    let before = found(&store, "job").await.expect("somebody has it").until;
    assert!(take(&store, "job", "a", LONG * 2).await, "who has it renews it");
    let after = found(&store, "job").await.expect("somebody has it").until;
    assert!(before.plus(LONG) <= after);
    assert_eq!(owner(&store, "job").await, Some(("a".to_owned(), 1)));
}

pub async fn a_lease_that_is_over_is_taken(store: AnyStore) {
    assert!(take(&store, "job", "a", Duration::ZERO).await);
    assert!(take(&store, "job", "b", LONG).await);
    assert_eq!(owner(&store, "job").await, Some(("b".to_owned(), 2)));
}

/// Who slept too long finds it gone; who slept too long while nobody wanted it goes on.
pub async fn a_lease_that_another_took_is_not_renewed(store: AnyStore) {
    assert!(take(&store, "job", "a", Duration::ZERO).await);
    assert!(take(&store, "job", "a", Duration::ZERO).await);
    assert!(take(&store, "job", "b", LONG).await);
    assert!(!take(&store, "job", "a", LONG).await);
    assert_eq!(owner(&store, "job").await, Some(("b".to_owned(), 2)));
}

pub async fn a_lease_given_back_is_free_at_once(store: AnyStore) {
    assert!(take(&store, "job", "a", LONG).await);
    give_back(&store, "job", "b").await;
    assert!(!take(&store, "job", "b", LONG).await, "it was not theirs to give");
    give_back(&store, "job", "a").await;
    assert!(take(&store, "job", "b", LONG).await);
    assert_eq!(owner(&store, "job").await, Some(("b".to_owned(), 2)));
    give_back(&store, "other", "a").await;
}

pub async fn a_dropped_lease_is_forgotten_and_anothers_stays(store: AnyStore) {
    let forget = async |owner: &'static str| {
        write(&store, move |unit| unit.edit_leases().drop_lease("job", owner)).await;
    };
    assert!(take(&store, "job", "a", LONG).await);
    forget("b").await;
    assert_eq!(owner(&store, "job").await, Some(("a".to_owned(), 1)));
    forget("a").await;
    assert_eq!(found(&store, "job").await, None);
    assert!(take(&store, "job", "b", LONG).await);
    assert_eq!(owner(&store, "job").await, Some(("b".to_owned(), 1)));
}

pub async fn leases_of_other_names_are_others(store: AnyStore) {
    assert!(take(&store, "job", "a", LONG).await);
    assert!(take(&store, "Job", "b", LONG).await);
    assert!(!take(&store, "Job", "a", LONG).await);
}

/// Nobody had it before, and once more when it is over.
pub async fn of_many_who_take_a_lease_at_once_one_has_it(store: AnyStore) {
    const OWNERS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for round in 0..2 {
        let taken = at_once(OWNERS.len(), |number| {
            let store = Arc::clone(&store);
            async move { take(&store, "job", OWNERS[number], LONG).await }
        });
        let winners: Vec<usize> = taken
            .await
            .into_iter()
            .enumerate()
            .filter_map(|(number, taken)| taken.then_some(number))
            .collect();
        assert_eq!(winners.len(), 1, "in round {round}");
        let (has, _) = owner(&store, "job").await.expect("somebody has it");
        assert_eq!(has, OWNERS[winners[0]]);
        give_back(&store, "job", OWNERS[winners[0]]).await;
    }
}

pub async fn the_clock_of_the_database_goes_on(store: AnyStore) {
    let first = read(&store, |unit| unit.leases().database_now()).await;
    let second = write(&store, |unit| unit.leases().database_now()).await;
    assert!(first <= second && second.since(first) < Duration::MINUTE);
    take(&store, "job", "a", LONG).await;
    let until = found(&store, "job").await.expect("it was taken").until;
    let left = until.since(second);
    assert!(LONG <= left && left < LONG + Duration::MINUTE, "{left}");
}
