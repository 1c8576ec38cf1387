//! Two instances on one store: what one keeps in its own memory the other learns.

use crm_domain::customers::CustomerId;
use crm_domain::ports::callbacks::CallbackHeaders;
use crm_domain::readings::ReadingRule;
use crm_domain::shared_counts::SharedCount;
use crm_domain::use_cases::{Arrival, Looked, Received};
use crm_testkit::fakes::FakeCallbacks;
use crm_testkit::fixtures::{BOT, admin, after, member, user};

use crate::world::{JOB, World, code};

#[tokio::test]
async fn the_reading_log_switched_on_at_one_is_kept_at_the_other() {
    let one = World::new();
    let other = one.beside();
    let rule = |on| ReadingRule { on, days: 30 };
    one.crm.set_reading_rule(&admin(), rule(false)).await.unwrap();
    let look = || {
        other
            .crm
            .note_reading(&member(), Looked::Customer(CustomerId::new(3)));
    };
    look();
    assert_eq!(
        other.crm.write_readings(&JOB).await.unwrap(),
        0,
        "it learns that it is off"
    );
    one.crm.set_reading_rule(&admin(), rule(true)).await.unwrap();
    assert_eq!(other.crm.write_readings(&JOB).await.unwrap(), 0);
    look();
    assert_eq!(other.crm.write_readings(&JOB).await.unwrap(), 1);
}

async fn share(world: &World, name: &str) -> Vec<SharedCount> {
    world.crm.share_counts(&JOB, name, Vec::new()).await.unwrap()
}

#[tokio::test]
async fn what_one_door_meets_every_instance_shows() {
    let one = World::new();
    let other = one.beside();
    assert_eq!(share(&one, "one").await, []);
    assert_eq!(
        share(&other, "other").await,
        [],
        "nothing is told while all is well"
    );
    for number in 0..3 {
        let body = FakeCallbacks::message(&user(1), after(number), "偽");
        let headers = CallbackHeaders {
            bot_id: Some(BOT),
            signature: Some("wrong"),
        };
        let arrival = Arrival::new(headers, &body);
        let answer = one.crm.receive_callback(arrival, std::future::pending());
        assert!(matches!(answer.await, Ok(Received::Refused(_))));
    }
    assert!(one.crm.door_trouble().wrong_signatures);
    share(&one, "one").await;
    assert!(!other.crm.door_trouble().wrong_signatures);
    share(&other, "other").await;
    assert!(other.crm.door_trouble().wrong_signatures, "told");
    one.post(&FakeCallbacks::message(&user(1), after(9), "本物"))
        .await
        .unwrap();
    share(&one, "one").await;
    share(&other, "other").await;
    assert!(!other.crm.door_trouble().wrong_signatures, "and its end");
}

#[tokio::test]
async fn counts_of_others_come_back_and_only_jobs_share() {
    let one = World::new();
    let other = one.beside();
    let count = SharedCount {
        name: "api/1".to_owned(),
        count: 7,
    };
    let told = one.crm.share_counts(&JOB, "one", vec![count.clone()]).await;
    assert_eq!(told.unwrap(), []);
    assert_eq!(share(&other, "other").await, [count]);
    let denied = one.crm.share_counts(&member(), "one", Vec::new()).await;
    assert_eq!(code(denied), "denied");
    assert_eq!(one.crm.forget_counts(&JOB).await.unwrap(), 0);
}
