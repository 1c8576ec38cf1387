//! Send budgets.

use crm_domain::instant::Instant;
use crm_domain::send_budgets::{Budget, BudgetKey};
use crm_domain::sends::SendId;

use super::AnyStore;
use super::steps::{open_talk, read, write};
use crate::fixtures::{after, new_send, start, user};

fn key(operation: &str) -> BudgetKey {
    BudgetKey {
        domain: "40000001".to_owned(),
        operation: operation.to_owned(),
    }
}

async fn message(store: &AnyStore, key: &str) -> SendId {
    let to = open_talk(store, &user(1)).await;
    let new = new_send(key, to, key, start());
    write(store, move |unit| unit.edit_sends().add_send(&new))
        .await
        .id()
}

async fn depart(store: &AnyStore, operation: &'static str, send: SendId, at: Instant) {
    write(store, move |unit| {
        unit.edit_budgets().add_departure(&key(operation), send, at)
    })
    .await;
}

async fn since(store: &AnyStore, operation: &'static str, at: Instant) -> Vec<Instant> {
    read(store, move |unit| {
        unit.budgets().departures_since(&key(operation), at)
    })
    .await
}

pub async fn a_budget_is_kept_as_it_was(store: AnyStore) {
    let known = async |operation: &'static str| {
        read(&store, move |unit| unit.budgets().budget(&key(operation))).await
    };
    assert_eq!(known("send").await, Budget::default());
    let first = Budget {
        said_limit: Some(240),
        blocked_until: Some(after(17)),
        run_began: Some(after(1)),
        last_at: Some(after(2)),
    };
    for budget in [
        first,
        Budget {
            blocked_until: None,
            ..first
        },
    ] {
        write(&store, move |unit| {
            unit.edit_budgets().keep_budget(&key("send"), &budget)
        })
        .await;
        assert_eq!(known("send").await, budget);
    }
    assert_eq!(known("other").await, Budget::default());
}

/// Each operation by itself, oldest first, without those at the given instant.
pub async fn the_departures_after_an_instant_are_found(store: AnyStore) {
    let (a, b) = (message(&store, "a").await, message(&store, "b").await);
    for (send, at) in [(a, 3), (b, 1), (a, 2)] {
        depart(&store, "send", send, after(at)).await;
    }
    depart(&store, "other", a, after(9)).await;
    assert_eq!(since(&store, "send", after(1)).await, [after(2), after(3)]);
    assert_eq!(since(&store, "other", after(1)).await, [after(9)]);
}

/// The newest of a message, which is the one on its way.
pub async fn a_departure_is_moved_and_taken_back(store: AnyStore) {
    let (a, b) = (message(&store, "a").await, message(&store, "b").await);
    depart(&store, "send", a, after(1)).await;
    depart(&store, "send", b, after(2)).await;
    depart(&store, "send", a, after(3)).await;
    write(&store, move |unit| {
        unit.edit_budgets().move_departure(a, after(8))
    })
    .await;
    assert_eq!(
        since(&store, "send", start()).await,
        [after(1), after(2), after(8)]
    );
    write(&store, move |unit| unit.edit_budgets().remove_departure(a)).await;
    assert_eq!(since(&store, "send", start()).await, [after(1), after(2)]);
    let none = message(&store, "c").await;
    write(&store, move |unit| unit.edit_budgets().remove_departure(none)).await;
    assert_eq!(since(&store, "send", start()).await.len(), 2);
}

/// Those of the future are drawn to now: a clock was put back.
pub async fn old_departures_are_forgotten(store: AnyStore) {
    let send = message(&store, "a").await;
    for at in [1, 5, 90] {
        depart(&store, "send", send, after(at)).await;
        depart(&store, "other", send, after(at)).await;
    }
    write(&store, move |unit| {
        unit.edit_budgets()
            .tidy_departures(&key("send"), after(5), after(60))
    })
    .await;
    assert_eq!(since(&store, "send", start()).await, [after(5), after(60)]);
    assert_eq!(
        since(&store, "other", start()).await,
        [after(1), after(5), after(90)]
    );
}
