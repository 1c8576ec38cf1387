//! Requests that come again under a key.

use std::sync::Arc;

use crm_domain::amendments::{CompanyChange, CustomerChange};
use crm_domain::customers::CustomerLine;
use crm_domain::idempotency::{Answer, Asked, IdempotencyKey};
use crm_domain::members::{MemberId, Role};
use crm_domain::ports::store::StoreError;
use crm_domain::sends::Send;
use crm_domain::use_cases::{Once, Repeat};
use crm_testkit::fixtures::{admin, customer_on, person, text, user};
use time::Duration;

use crate::sending::deliver_all;
use crate::world::{JOB, World, broken, code};

fn asked(key: &str, path: &str, body: u8) -> Asked {
    Asked {
        member: MemberId::new(1),
        method: "POST",
        path: path.to_owned(),
        key: IdempotencyKey::new(key).unwrap().unwrap(),
        body: [body; 32],
    }
}

fn named(key: &str, body: u8) -> Repeat<CustomerLine> {
    Repeat {
        asked: asked(key, "/customers", body),
        present: Arc::new(|line: &CustomerLine| Answer {
            status: 201,
            location: Some(line.customer.id.to_string()),
            body: line.customer.details.name.full(),
        }),
    }
}

fn taro() -> CustomerChange {
    CustomerChange {
        last_name: Some("山田".to_owned()),
        first_name: Some("太郎".to_owned()),
        ..CustomerChange::default()
    }
}

/// Whether it was done now, and what was answered.
async fn enter(world: &World, key: &str, body: u8) -> Result<(bool, String), crm_domain::error::Error> {
    let repeat = named(key, body);
    let present = Arc::clone(&repeat.present);
    let entered = world
        .crm
        .enter_customer(&admin(), taro(), false, Some(repeat))
        .await?;
    Ok(match entered {
        Once::Done(line) => (true, present(&line).location.unwrap()),
        Once::Replayed(answer) => (false, answer.location.unwrap()),
    })
}

#[tokio::test]
async fn whoever_is_in_doubt_asks_again_and_it_was_done_once() {
    let world = World::new();
    // Stored, though nobody knows.
    world.store.fail_next_though_stored(broken());
    assert_eq!(code(enter(&world, "k", 1).await), "store_unavailable");
    assert!(!enter(&world, "k", 1).await.unwrap().0, "it was stored");
    // Found out before anything is said.
    world.store.fail_next_though_stored(StoreError::Uncertain);
    let (done, id) = enter(&world, "m", 3).await.unwrap();
    assert!(done);
    assert_eq!(enter(&world, "m", 3).await.unwrap(), (false, id));
    // Not stored, though nobody knows.
    world.store.fail_next(StoreError::Uncertain);
    assert_eq!(code(enter(&world, "l", 2).await), "store_unavailable");
    assert!(enter(&world, "l", 2).await.unwrap().0, "it was not stored");
    assert_eq!(world.customer_names().await.len(), 3);
    assert_eq!(code(enter(&world, "k", 2).await), "idempotency_key_used");
}

#[tokio::test]
async fn an_answer_is_kept_for_a_day() {
    let world = World::new();
    let (_, id) = enter(&world, "k", 1).await.unwrap();
    world.pass(Duration::hours(23));
    assert_eq!(enter(&world, "k", 1).await.unwrap(), (false, id.clone()));
    world.pass(Duration::hours(2));
    let (done, other) = enter(&world, "k", 1).await.unwrap();
    assert!(done && other != id);
    world.pass(Duration::hours(25));
    world.crm.keep_house(&JOB).await.unwrap();
    assert!(enter(&world, "k", 1).await.unwrap().0);
    assert_eq!(world.customer_names().await.len(), 3);
}

#[tokio::test]
async fn an_answer_goes_when_whom_it_names_is_erased() {
    let world = World::new();
    let (_, id) = enter(&world, "k", 1).await.unwrap();
    let id = id.parse().unwrap();
    world.crm.discard_customer(&admin(), id).await.unwrap();
    assert!(!enter(&world, "k", 1).await.unwrap().0, "it lies in the trash");
    world.crm.erase_customer(&admin(), id).await.unwrap();
    world.crm.keep_house(&JOB).await.unwrap();
    assert!(
        enter(&world, "k", 1).await.unwrap().0,
        "nothing is known of it any more"
    );
}

#[tokio::test]
async fn a_message_is_sent_once_even_when_its_answer_is_forgotten() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let queue = async |words: &str, body| {
        let repeat = Repeat {
            asked: asked("k", "/customers/1/messages", body),
            present: Arc::new(|send: &Send| Answer {
                status: 202,
                location: None,
                body: send.id.to_string(),
            }),
        };
        let words = text(words);
        world
            .crm
            .queue_message_once(&admin(), customer, words, Some(repeat))
            .await
    };
    let Once::Done(send) = queue("はい", 1).await.unwrap() else {
        panic!("the first time");
    };
    for days in [0, 2] {
        world.pass(Duration::days(days));
        world.crm.keep_house(&JOB).await.unwrap();
        let Once::Replayed(answer) = queue("はい", 1).await.unwrap() else {
            panic!("a second time after {days} days");
        };
        assert_eq!(answer.body, send.id.to_string());
    }
    assert_eq!(code(queue("いいえ", 2).await), "idempotency_key_used");
    world.pass(Duration::days(2));
    assert_eq!(
        code(queue("いいえ", 2).await),
        "idempotency_key_used",
        "the message is still there"
    );
    deliver_all(&world).await;
    assert_eq!(world.messenger.texts(), ["はい"]);
}

#[tokio::test]
async fn a_key_opens_nothing_to_who_may_not_write() {
    let world = World::new();
    enter(&world, "k", 1).await.unwrap();
    let viewer = person(1, "閲覧 一郎", Role::Viewer);
    let refused = world
        .crm
        .enter_customer(&viewer, taro(), false, Some(named("k", 1)))
        .await;
    assert_eq!(code(refused), "denied");
    let refused = world
        .crm
        .enter_company(&viewer, CompanyChange::default(), None)
        .await;
    assert_eq!(code(refused), "denied");
}
