//! Two instances on one store: what one keeps in its own memory the other learns.

use crm_domain::conversations::ConversationId;
use crm_domain::customers::CustomerId;
use crm_domain::erasures::ErasureState;
use crm_domain::ports::callbacks::CallbackHeaders;
use crm_domain::ports::spool::Spool as _;
use crm_domain::ports::store::{StoreError, StoreExt as _};
use crm_domain::readings::ReadingRule;
use crm_domain::receipts::{ReceiptId, ReceiptState};
use crm_domain::shared_counts::SharedCount;
use crm_domain::use_cases::{Arrival, Looked, Received};
use crm_testkit::fakes::FakeCallbacks;
use crm_testkit::fixtures::{BOT, admin, after, customer_on, member, receipt, start, user};
use time::Duration;

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

/// What this door took while the database was away waits in its own spool, of which the one that erases knows nothing.
#[tokio::test]
async fn who_was_erased_does_not_come_back_out_of_another_ones_spool() {
    let one = World::new();
    let other = one.beside();
    let taro = one.customer(customer_on("山田", "太郎", &user(1))).await;
    one.hear(&FakeCallbacks::message(&user(1), after(1), "前の話"))
        .await;
    for (number, words) in [(1, "消える話"), (2, "残る話")] {
        let body = FakeCallbacks::message(&user(number), after(2), words);
        let new = receipt(&String::from_utf8_lossy(&body), start());
        other.spool.keep(&new).await.unwrap();
    }
    one.pass(Duration::seconds(60));
    let erased = one.crm.erase_customer(&admin(), taro).await.unwrap();
    assert_eq!(erased.state, ErasureState::Done);
    let replayed = other.crm.replay_spool(&JOB, 99).await.unwrap();
    assert_eq!((replayed.added, other.crm.spooled()), (2, 0));
    let recorded = other.record().await;
    assert_eq!(recorded.callbacks.len(), 1, "{recorded:?}");
    let read = one.store.read::<_, StoreError, _>(|unit| {
        let bodies = unit.erasures().bodies_after(ReceiptId::new(0), 9)?;
        Ok((bodies, unit.erasures().talks_after(ConversationId::new(0), 9)?))
    });
    let (bodies, talks) = read.await.unwrap();
    let bodies: Vec<_> = bodies
        .iter()
        .map(|(_, body)| String::from_utf8_lossy(body))
        .collect();
    assert!(
        matches!(&bodies[..], [body] if body.contains("残る話")),
        "{bodies:?}"
    );
    assert!(talks.iter().all(|((_, address), ..)| *address != user(1)));
    one.pass(Duration::seconds(60));
    let back = one
        .hear(&FakeCallbacks::message(&user(1), after(200), "また来た"))
        .await;
    assert_eq!(
        back.callbacks[0].state,
        ReceiptState::Unclaimed,
        "who comes anew is somebody else"
    );
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
