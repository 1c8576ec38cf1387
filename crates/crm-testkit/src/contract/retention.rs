//! Rules, holds, daily runs, and what is over its time.

use crm_domain::activities::{Direction, MessageKind, NewActivity};
use crm_domain::customers::CustomerId;
use crm_domain::ports::store::StoreError;
use crm_domain::receipts::{Kept, ReceiptId, ReceiptOutcome, ReceiptState};
use crm_domain::retention::{HoldId, Rule, RuleKind};
use crm_domain::standings::{LastMessage, Standing};
use crm_domain::tally::{DataKind, Tally};

use super::AnyStore;
use super::steps::{add_activities, add_customer, open_talk, read, try_write, write};
use crate::fixtures::{after, customer_details, customer_on, receipt, received, start, user};

async fn rules(store: &AnyStore) -> Vec<Rule> {
    read(store, |unit| unit.retention().retention_rules()).await
}

async fn set(store: &AnyStore, kind: RuleKind, months: Option<u32>) {
    write(store, move |unit| {
        unit.edit_retention().set_rule(Rule { kind, months })
    })
    .await;
}

async fn hold(store: &AnyStore, customer: Option<CustomerId>) -> Result<HoldId, StoreError> {
    try_write(store, move |unit| {
        unit.edit_retention()
            .place_hold(customer, "訴訟", "管理 花子", after(1))
    })
    .await
}

async fn held(store: &AnyStore, customer: CustomerId) -> bool {
    read(store, move |unit| unit.retention().is_held(customer)).await
}

pub async fn a_rule_replaces_the_one_before(store: AnyStore) {
    assert_eq!(rules(&store).await, []);
    set(&store, RuleKind::Messages, Some(24)).await;
    set(&store, RuleKind::Notes, Some(12)).await;
    set(&store, RuleKind::Messages, Some(36)).await;
    set(&store, RuleKind::Notes, None).await;
    let only = Rule {
        kind: RuleKind::Messages,
        months: Some(36),
    };
    assert_eq!(rules(&store).await, [only]);
}

pub async fn a_hold_holds_until_it_is_lifted(store: AnyStore) {
    let yamada = add_customer(&store, &customer_details("山田", "太郎")).await;
    let sato = add_customer(&store, &customer_details("佐藤", "花子")).await;
    let nobody = hold(&store, Some(CustomerId::new(404))).await;
    assert!(matches!(nobody, Err(StoreError::Missing("customer_id"))));
    let first = hold(&store, Some(yamada)).await.expect("it is placed");
    assert!(held(&store, yamada).await && !held(&store, sato).await);
    let all = hold(&store, None).await.expect("it is placed");
    assert!(held(&store, sato).await);
    assert!(read(&store, |unit| unit.retention().everything_held()).await);
    let holds = read(&store, |unit| unit.retention().holds()).await;
    let told: Vec<_> = holds
        .iter()
        .map(|hold| (hold.id, hold.customer_name.as_deref()))
        .collect();
    assert_eq!(told, [(all, None), (first, Some("山田 太郎"))]);
    assert_eq!(
        (
            holds[1].reason.as_str(),
            holds[1].placed_at,
            holds[1].placed_by.as_str()
        ),
        ("訴訟", after(1), "管理 花子")
    );
    for (id, lifts) in [
        (first, true),
        (first, false),
        (all, true),
        (HoldId::new(404), false),
    ] {
        let lifted = write(&store, move |unit| {
            unit.edit_retention().lift_hold(id, "管理 花子", after(2))
        });
        assert_eq!(lifted.await, lifts);
    }
    assert!(!held(&store, yamada).await);
    assert_eq!(read(&store, |unit| unit.retention().holds()).await, []);
}

pub async fn a_run_is_remembered_with_what_it_took(store: AnyStore) {
    assert_eq!(read(&store, |unit| unit.retention().last_house_run()).await, None);
    for second in 1..=3 {
        write(&store, move |unit| {
            unit.edit_retention().begin_house_run(after(second), second == 1)
        })
        .await;
    }
    let last = async || {
        let run = read(&store, |unit| unit.retention().last_house_run()).await;
        run.expect("there is one")
    };
    let run = last().await;
    assert_eq!(
        (run.started_at, run.finished_at, run.held),
        (after(3), None, false)
    );
    let id = run.id;
    write(&store, move |unit| {
        unit.edit_retention()
            .end_house_run(id, after(9), &Tally::of(DataKind::Bodies, 7))
    })
    .await;
    let run = last().await;
    assert_eq!(
        (run.finished_at, run.tally.count(DataKind::Bodies)),
        (Some(after(9)), 7)
    );
}

pub async fn old_messages_and_notes_go_apart_and_never_from_a_held_page(store: AnyStore) {
    let yamada = add_customer(&store, &customer_details("山田", "太郎")).await;
    let sato = add_customer(&store, &customer_details("佐藤", "花子")).await;
    hold(&store, Some(sato)).await.expect("it is placed");
    let note = |customer, second| NewActivity {
        direction: Direction::Note,
        ..received(customer, "メモ", after(second))
    };
    let rows = vec![
        received(yamada, "古い", after(1)),
        received(yamada, "もっと古い", after(0)),
        received(yamada, "新しい", after(50)),
        note(yamada, 2),
        received(sato, "古い", after(1)),
    ];
    add_activities(&store, rows).await;
    let seen = read(&store, |unit| {
        unit.retention().foresee(RuleKind::Messages, after(10))
    })
    .await;
    assert_eq!((seen.count, seen.held, seen.oldest), (2, 1, Some(after(0))));
    let seen = read(&store, |unit| {
        unit.retention().foresee(RuleKind::Notes, after(10))
    })
    .await;
    assert_eq!((seen.count, seen.held, seen.oldest), (1, 0, Some(after(2))));
    let forget = async |kind| {
        write(&store, move |unit| {
            Ok(unit
                .edit_retention()
                .forget_activities(kind, after(10), 1, after(60))?
                .0)
        })
        .await
    };
    for left in [1, 1, 0] {
        let taken = forget(RuleKind::Messages).await;
        assert_eq!(taken.count(DataKind::Activities), left);
    }
    let page = async |customer| {
        let rows = read(&store, move |unit| {
            unit.activities().activities_before(customer, None, 9)
        });
        rows.await.len()
    };
    assert_eq!((page(yamada).await, page(sato).await), (2, 1));
    assert_eq!(forget(RuleKind::Notes).await.count(DataKind::Activities), 1);
    assert_eq!(page(yamada).await, 1);
}

pub async fn bodies_go_once_they_are_recorded_and_old_enough(store: AnyStore) {
    let mut ids = Vec::new();
    for (body, state, second) in [
        ("古い", Some(ReceiptState::Recorded), 1),
        ("無用", Some(ReceiptState::Ignored), 1),
        ("誰", Some(ReceiptState::Unclaimed), 1),
        ("新しい", Some(ReceiptState::Recorded), 50),
        ("まだ", None, 0),
    ] {
        let new = receipt(body, start());
        let id = write(&store, move |unit| {
            let Kept::Added(id) = unit.edit_receipts().keep_receipt(&new)? else {
                panic!("it is new");
            };
            if let Some(state) = state {
                let outcome = ReceiptOutcome {
                    id,
                    state,
                    conversation_id: None,
                    reason: None,
                };
                unit.edit_receipts().settle_receipts(&[outcome], after(second))?;
            }
            Ok(id)
        });
        ids.push(id.await);
    }
    let (mut emptied, mut place) = (0, Some(ReceiptId::new(0)));
    while let Some(after_id) = place {
        let part = write(&store, move |unit| {
            unit.edit_retention().empty_old_bodies(after(10), after_id, 2)
        });
        let (tally, next) = part.await;
        emptied += tally.count(DataKind::Bodies);
        place = next;
    }
    assert_eq!(emptied, 2);
    let left = read(&store, |unit| unit.erasures().bodies_after(ReceiptId::new(0), 9)).await;
    let left: Vec<ReceiptId> = left.into_iter().map(|(id, _)| id).collect();
    assert_eq!(left, ids[2..]);
    let again = receipt("古い", start());
    let kept = write(&store, move |unit| unit.edit_receipts().keep_receipt(&again)).await;
    assert_eq!(kept, Kept::Existed, "its key stays");
}

pub async fn strangers_who_were_silent_long_are_found(store: AnyStore) {
    let mut talks = Vec::new();
    for (number, second) in [(1, 1), (2, 50), (3, 2)] {
        let talk = open_talk(&store, &user(number)).await;
        let standing = Standing {
            last: Some(LastMessage::new(
                after(second),
                Direction::Received,
                MessageKind::Text,
                "もしもし",
            )),
            ..Standing::default()
        };
        write(&store, move |unit| {
            unit.edit_conversations()
                .save_standings(&[(talk, standing.clone())])
        })
        .await;
        talks.push(talk);
    }
    add_customer(&store, &customer_on("山田", "太郎", &user(3))).await;
    let silent = read(&store, |unit| unit.retention().silent_talks(after(10), 9)).await;
    assert_eq!(silent, [(talks[0], user(1))]);
    let seen = read(&store, |unit| {
        unit.retention().foresee(RuleKind::UnknownSenders, after(10))
    })
    .await;
    assert_eq!((seen.count, seen.oldest), (1, Some(after(1))));
}
