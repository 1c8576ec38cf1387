//! Senders.

use std::sync::Arc;

use crm_domain::instant::Instant;
use crm_domain::ports::profiles::{Profile, ProfileName};
use crm_domain::senders::{LookUp, Sender};
use crm_domain::values::LineUserId;

use super::AnyStore;
use super::steps::{at_once, read, write};
use crate::fixtures::{after, profile, start, user};

async fn note(store: &AnyStore, people: Vec<LineUserId>, at: Instant) {
    write(store, move |unit| unit.edit_senders().note_senders(&people, at)).await;
}

async fn settle(store: &AnyStore, person: &LineUserId, found: LookUp, at: Instant) {
    let person = person.clone();
    write(store, move |unit| {
        unit.edit_senders().settle_sender(&person, &found, at)
    })
    .await;
}

async fn due(store: &AnyStore, limit: usize, now: Instant) -> Vec<LineUserId> {
    let due = read(store, move |unit| unit.senders().due_senders(limit, now)).await;
    due.into_iter().map(|sender| sender.address).collect()
}

async fn of(store: &AnyStore, people: Vec<LineUserId>) -> Vec<Sender> {
    let mut found = read(store, move |unit| unit.senders().senders_of(&people)).await;
    found.sort_by_key(|sender| sender.address.clone());
    found
}

async fn one(store: &AnyStore, person: &LineUserId) -> Sender {
    of(store, vec![person.clone()]).await.remove(0)
}

fn failed(problem: &str, next_try_at: Instant) -> LookUp {
    LookUp::Failed {
        problem: problem.to_owned(),
        next_try_at,
    }
}

pub async fn a_noted_sender_is_nameless_and_due_at_once(store: AnyStore) {
    note(&store, vec![user(1)], after(5)).await;
    let noted = one(&store, &user(1)).await;
    let expected = Sender {
        id: noted.id,
        address: user(1),
        name: ProfileName::default(),
        email: String::new(),
        fetched_at: None,
        problem: None,
        next_try_at: Some(after(5)),
        tries: 0,
    };
    assert_eq!(noted, expected);
    assert_eq!(due(&store, 10, after(4)).await, []);
    assert_eq!(due(&store, 10, after(5)).await, [user(1)]);
}

pub async fn noting_again_changes_nothing(store: AnyStore) {
    note(&store, vec![user(1), user(1)], start()).await;
    settle(&store, &user(1), failed("later", after(60)), after(1)).await;
    let before = of(&store, vec![user(1)]).await;
    note(&store, vec![user(2), user(1), user(2)], after(2)).await;
    assert_eq!(of(&store, vec![user(1)]).await, before);
    assert_eq!(of(&store, vec![user(1), user(2), user(3)]).await.len(), 2);
    note(&store, Vec::new(), start()).await;
}

pub async fn each_is_noted_once_however_many_note_at_once(store: AnyStore) {
    at_once(16, |number| {
        let store = Arc::clone(&store);
        async move {
            let mut people = vec![user(1), user(2)];
            if number % 2 == 1 {
                people.reverse();
            }
            note(&store, people, start()).await;
        }
    })
    .await;
    assert_eq!(of(&store, vec![user(1), user(2)]).await.len(), 2);
}

pub async fn the_longest_due_come_first(store: AnyStore) {
    for (number, at) in [(1, 30), (2, 10), (3, 20), (4, 10), (5, 90)] {
        note(&store, vec![user(number)], after(at)).await;
    }
    assert_eq!(
        due(&store, 10, after(30)).await,
        [user(2), user(4), user(3), user(1)]
    );
    assert_eq!(due(&store, 3, after(30)).await, [user(2), user(4), user(3)]);
}

pub async fn a_name_found_is_kept_and_not_asked_for_again(store: AnyStore) {
    note(&store, vec![user(1), user(2)], start()).await;
    settle(&store, &user(1), failed("later", after(9)), after(1)).await;
    settle(&store, &user(1), LookUp::Found(profile(&user(1))), after(10)).await;
    let found = one(&store, &user(1)).await;
    let Profile { name, email, .. } = profile(&user(1));
    assert_eq!((found.name, found.email), (name, email));
    assert_eq!((found.fetched_at, found.problem), (Some(after(10)), None));
    assert_eq!((found.next_try_at, found.tries), (None, 0));
    assert_eq!(due(&store, 10, after(1_000_000)).await, [user(2)]);
    assert_eq!(one(&store, &user(2)).await.full_name(), None);
}

pub async fn who_was_asked_in_vain_is_due_at_the_named_time(store: AnyStore) {
    note(&store, vec![user(1)], start()).await;
    for (tries, until) in [(1, 60), (2, 180)] {
        settle(
            &store,
            &user(1),
            failed("not_found", after(until)),
            after(until - 1),
        )
        .await;
        let asked = one(&store, &user(1)).await;
        assert_eq!(
            (asked.tries, asked.problem.as_deref()),
            (tries, Some("not_found"))
        );
        assert_eq!(due(&store, 10, after(until - 1)).await, []);
        assert_eq!(due(&store, 10, after(until)).await, [user(1)]);
    }
    settle(&store, &user(9), failed("later", after(1)), start()).await;
    assert_eq!(of(&store, vec![user(9)]).await, []);
}

pub async fn a_name_found_before_outlives_a_failure(store: AnyStore) {
    note(&store, vec![user(1)], start()).await;
    settle(&store, &user(1), LookUp::Found(profile(&user(1))), after(1)).await;
    settle(&store, &user(1), failed("not_found", after(9)), after(2)).await;
    let found = one(&store, &user(1)).await;
    assert_eq!(found.name, profile(&user(1)).name);
    assert_eq!(found.fetched_at, Some(after(1)));
}

pub async fn all_that_are_due_can_be_deferred_and_called_back(store: AnyStore) {
    note(&store, vec![user(1), user(2)], start()).await;
    note(&store, vec![user(3)], after(100)).await;
    note(&store, vec![user(4)], start()).await;
    settle(&store, &user(4), LookUp::Found(profile(&user(4))), start()).await;
    let deferred = write(&store, |unit| {
        unit.edit_senders()
            .defer_senders("scope_missing", after(10), after(3_600))
    });
    assert_eq!(deferred.await, 2);
    let waiting = one(&store, &user(1)).await;
    assert_eq!(
        (waiting.problem.as_deref(), waiting.tries),
        (Some("scope_missing"), 0)
    );
    assert_eq!(due(&store, 10, after(3_599)).await, [user(3)]);
    write(&store, |unit| {
        unit.edit_senders().retry_senders("scope_missing", after(20))
    })
    .await;
    assert_eq!(due(&store, 10, after(20)).await, [user(1), user(2)]);
}
