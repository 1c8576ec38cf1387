//! Recording: kept callbacks become messages on the pages of all whom they concern.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use crm_domain::activities::Direction;
use crm_domain::ports::store::{ReadWork, Store, StoreError, Work};
use crm_domain::receipts::ReceiptState;
use crm_domain::use_cases::{Received, Recorded};
use crm_testkit::fakes::FakeCallbacks;
use crm_testkit::fixtures::{admin, after, customer_details, customer_on, member, start, user};
use time::Duration;

use crate::world::{JOB, World, broken, code};

fn states(recorded: &Recorded) -> Vec<ReceiptState> {
    recorded.callbacks.iter().map(|callback| callback.state).collect()
}

#[tokio::test]
async fn a_message_stands_on_the_page_of_everybody_who_carries_the_id() {
    let world = World::new();
    let first = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let second = world.customer(customer_on("山田", "花子", &user(1))).await;
    let other = world.customer(customer_on("佐藤", "次郎", &user(2))).await;
    world.pass(Duration::seconds(30));
    let recorded = world
        .hear(&FakeCallbacks::message(&user(1), after(7), "こんにちは 👋"))
        .await;
    let callback = &recorded.callbacks[0];
    assert_eq!(
        (callback.state, &*callback.customers),
        (ReceiptState::Recorded, &[first, second][..])
    );
    assert_eq!(
        callback.user.as_deref(),
        Some("00000001"),
        "shortened, for the log"
    );
    assert!(!recorded.more);
    for customer in [first, second] {
        let page = world.page(customer).await;
        assert_eq!(page.len(), 1);
        assert_eq!(
            (page[0].message.as_str(), page[0].direction),
            ("こんにちは 👋", Direction::Received)
        );
        assert_eq!(
            (page[0].timestamp, page[0].send_state()),
            (after(7), None),
            "in the time it was issued"
        );
    }
    assert!(world.page(other).await.is_empty());
    assert_eq!(world.record().await, Recorded::default());
}

#[tokio::test]
async fn a_message_of_unknown_time_counts_from_its_arrival() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    world.pass(Duration::seconds(30));
    let body = format!("message\nsome day\n{}\n\nいつか", user(1).as_str());
    world.hear(body.as_bytes()).await;
    assert_eq!(world.page(customer).await[0].timestamp, after(30));
}

#[tokio::test]
async fn a_message_from_the_far_future_counts_from_its_arrival() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let ahead = start().plus(Duration::days(30_000));
    world
        .hear(&FakeCallbacks::message(&user(1), ahead, "未来から"))
        .await;
    assert_eq!(world.page(customer).await[0].timestamp, start());
}

#[tokio::test]
async fn a_stranger_a_foreign_event_and_nonsense_hold_up_nobody() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    for body in [
        FakeCallbacks::message(&user(9), start(), "はじめまして"),
        FakeCallbacks::other("joined", start()),
        b"message\n\xFF".to_vec(),
        b"began\nnever\nsomebody".to_vec(),
        FakeCallbacks::message(&user(1), start(), "こんにちは"),
    ] {
        assert!(matches!(world.post(&body).await, Ok(Received::Kept(_))));
    }
    let recorded = world.record().await;
    assert_eq!(
        states(&recorded),
        [
            ReceiptState::Unclaimed,
            ReceiptState::Ignored,
            ReceiptState::Uninterpreted,
            ReceiptState::Uninterpreted,
            ReceiptState::Recorded,
        ]
    );
    let reasons: Vec<_> = recorded
        .callbacks
        .iter()
        .map(|callback| callback.reason.as_deref())
        .collect();
    assert_eq!(reasons[..3], [None, Some("joined"), Some("not JSON")]);
    assert_eq!(world.plain_page(customer).await, ["こんにちは"]);
}

#[tokio::test]
async fn a_message_in_a_room_stands_on_the_speakers_page() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    world
        .hear(&FakeCallbacks::room_message(
            &user(1),
            &user(77),
            start(),
            "みなさん",
        ))
        .await;
    assert_eq!(world.plain_page(customer).await, ["みなさん"]);
}

#[tokio::test]
async fn late_messages_stand_where_they_were_said() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    for (at, text) in [(10, "二"), (5, "一"), (20, "三")] {
        world
            .hear(&FakeCallbacks::message(&user(1), after(at), text))
            .await;
    }
    assert_eq!(world.plain_page(customer).await, ["一", "二", "三"]);
    let first = world.page(customer).await[1].id;
    let new = world
        .crm
        .new_messages(&member(), customer, Some(first), 9)
        .await
        .unwrap();
    let new: Vec<_> = new.iter().map(|activity| activity.message.as_str()).collect();
    assert_eq!(new, ["一", "三"], "all that was added after the first one");
}

#[tokio::test]
async fn more_than_the_limit_is_told() {
    let world = World::new();
    for number in 0..5 {
        let body = FakeCallbacks::message(&user(1), after(number), "はい");
        assert!(matches!(world.post(&body).await, Ok(Received::Kept(_))));
    }
    let rounds = async || {
        let recorded = world.crm.record_pending(&JOB, 3).await.unwrap();
        (recorded.callbacks.len(), recorded.more)
    };
    assert_eq!(rounds().await, (3, true));
    assert_eq!(rounds().await, (2, false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn recorders_at_once_double_nothing_and_lose_nothing() {
    let world = Arc::new(World::new());
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    for number in 0..60 {
        let body = FakeCallbacks::message(&user(1), after(number), &number.to_string());
        assert!(matches!(world.post(&body).await, Ok(Received::Kept(_))));
    }
    let recorders: Vec<_> = (0..4)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { while world.crm.record_pending(&JOB, 7).await.unwrap().more {} })
        })
        .collect();
    for recorder in recorders {
        recorder.await.unwrap();
    }
    while world.record().await.more {}
    let expected: Vec<String> = (0..60).map(|number| number.to_string()).collect();
    assert_eq!(world.plain_page(customer).await, expected);
}

#[tokio::test]
async fn a_batch_that_fails_is_tried_one_by_one() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    for (number, text) in [(1, "一"), (2, "二"), (3, "三")] {
        let body = FakeCallbacks::message(&user(1), after(number), text);
        assert!(matches!(world.post(&body).await, Ok(Received::Kept(_))));
    }
    let poison = StoreError::Corrupt {
        table: "activities",
        column: "message",
        row: 1,
    };
    world.store.fail_next(poison.clone());
    world.store.fail_next(poison);
    let recorded = world.record().await;
    assert_eq!(
        states(&recorded),
        [
            ReceiptState::Uninterpreted,
            ReceiptState::Recorded,
            ReceiptState::Recorded
        ]
    );
    assert_eq!(world.plain_page(customer).await, ["二", "三"]);
    assert_eq!(
        world.record().await,
        Recorded::default(),
        "what was refused does not come again"
    );
}

#[tokio::test]
async fn a_failure_that_passes_leaves_all_waiting() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    assert!(
        world
            .post(&FakeCallbacks::message(&user(1), start(), "一"))
            .await
            .is_ok()
    );
    for error in [broken(), StoreError::Uncertain] {
        world.store.fail_next(error);
        assert!(world.crm.record_pending(&JOB, 9).await.is_err());
    }
    world.record().await;
    assert_eq!(world.plain_page(customer).await, ["一"]);
    assert!(
        world
            .post(&FakeCallbacks::message(&user(1), after(1), "二"))
            .await
            .is_ok()
    );
    world.store.fail_next_though_stored(StoreError::Uncertain);
    assert!(world.crm.record_pending(&JOB, 9).await.is_err());
    assert_eq!(
        world.record().await,
        Recorded::default(),
        "it was recorded after all"
    );
    assert_eq!(world.plain_page(customer).await, ["一", "二"]);
}

#[tokio::test]
async fn a_deleted_message_comes_back_to_its_page() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let other = world.customer(customer_on("山田", "花子", &user(1))).await;
    world.customer(customer_details("佐藤", "次郎")).await;
    world.hear(&FakeCallbacks::message(&user(1), start(), "一")).await;
    let id = world.page(customer).await[0].id;
    assert_eq!(world.crm.delete_message(&member(), id).await.unwrap(), customer);
    assert!(world.page(customer).await.is_empty());
    assert_eq!(
        world.plain_page(other).await,
        ["一"],
        "the other page keeps its own"
    );
    assert_eq!(code(world.crm.delete_message(&admin(), id).await), "not_found");
    assert_eq!(
        world.crm.customer_of_message(&member(), id).await.unwrap(),
        customer,
        "it is known whose it was"
    );
    assert_eq!(world.crm.restore_message(&member(), id).await.unwrap(), customer);
    assert_eq!(world.plain_page(customer).await, ["一"]);
    assert_eq!(code(world.crm.restore_message(&admin(), id).await), "not_found");
}

/// A database that fails with the writes it is told to, in their order; the others it takes.
struct Choosy {
    store: Arc<dyn Store>,
    fails: Mutex<VecDeque<bool>>,
}

#[async_trait]
impl Store for Choosy {
    async fn run_write(&self, work: Work) -> Result<(), StoreError> {
        let fails = self.fails.lock().unwrap().pop_front();
        if fails.unwrap_or_default() {
            return Err(broken());
        }
        self.store.run_write(work).await
    }

    async fn run_read(&self, work: ReadWork) -> Result<(), StoreError> {
        self.store.run_read(work).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    async fn migrations_pending(&self) -> Result<usize, StoreError> {
        self.store.migrations_pending().await
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        self.store.scrub().await
    }
}

#[tokio::test]
async fn a_callback_with_which_the_database_always_fails_holds_up_the_others_for_a_while_only() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    for (at, words) in [(1, "毒"), (2, "薬")] {
        let body = FakeCallbacks::message(&user(1), after(at), words);
        assert!(matches!(world.post(&body).await, Ok(Received::Kept(_))));
    }
    // The batch four times; the probe; the first one three times; the probe. Then all goes well.
    let mut fails = VecDeque::from([true; 4]);
    fails.extend([false, true, true, true, false]);
    let fails = Mutex::new(fails);
    let crm = world
        .crm
        .clone()
        .watched(|store| Arc::new(Choosy { store, fails }));
    for _ in 0..3 {
        assert_eq!(code(crm.record_pending(&JOB, 9).await), "store_unavailable");
    }
    let recorded = crm.record_pending(&JOB, 9).await.unwrap();
    assert_eq!(
        states(&recorded),
        [ReceiptState::Uninterpreted, ReceiptState::Recorded]
    );
    let reason = recorded.callbacks[0].reason.as_deref();
    assert_eq!(reason, Some("the database fails with it"));
    assert_eq!(world.plain_page(customer).await, ["薬"]);
    world.crm.reinterpret_callbacks(&admin()).await.unwrap();
    world.record().await;
    assert_eq!(world.plain_page(customer).await, ["毒", "薬"], "nothing is lost");
}

#[tokio::test]
async fn while_the_database_is_away_no_callback_is_blamed() {
    let world = World::new();
    world.customer(customer_on("山田", "太郎", &user(1))).await;
    let body = FakeCallbacks::message(&user(1), after(1), "はい");
    assert!(matches!(world.post(&body).await, Ok(Received::Kept(_))));
    let fails = Mutex::new(VecDeque::from([true; 40]));
    let crm = world
        .crm
        .clone()
        .watched(|store| Arc::new(Choosy { store, fails }));
    for _ in 0..10 {
        assert_eq!(code(crm.record_pending(&JOB, 9).await), "store_unavailable");
    }
    assert_eq!(states(&world.record().await), [ReceiptState::Recorded]);
}
