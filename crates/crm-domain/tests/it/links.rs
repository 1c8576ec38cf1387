//! The state of the LINE WORKS link: 未確認, 稼働中, 退室.

use crm_domain::conversations::LinkStatus;
use crm_domain::customers::CustomerId;
use crm_domain::use_cases::Recipient;
use crm_testkit::fakes::FakeCallbacks;
use crm_testkit::fixtures::{after, customer_on, member, start, text, user};
use time::Duration;

use crate::world::{JOB, World};

async fn world_with_customer() -> (World, CustomerId) {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    world.pass(Duration::hours(1));
    (world, customer)
}

#[tokio::test]
async fn the_first_message_makes_the_link_active() {
    let (world, customer) = world_with_customer().await;
    assert_eq!(world.link(customer).await, LinkStatus::Unconfirmed);
    world
        .hear(&FakeCallbacks::message(&user(1), after(1), "こんにちは"))
        .await;
    assert_eq!(world.link(customer).await, LinkStatus::Active);
}

#[tokio::test]
async fn an_accepted_message_of_ours_makes_the_link_active() {
    let (world, customer) = world_with_customer().await;
    let to = Recipient::Customer(customer);
    world
        .crm
        .queue_message(&member(), to, text("こんにちは"), None)
        .await
        .unwrap();
    assert_eq!(world.link(customer).await, LinkStatus::Unconfirmed);
    world.crm.deliver_next(&JOB, "run").await.unwrap();
    assert_eq!(world.link(customer).await, LinkStatus::Active);
}

#[tokio::test]
async fn who_leaves_has_left_until_they_come_back() {
    let (world, customer) = world_with_customer().await;
    world.hear(&FakeCallbacks::began(&user(1), after(1))).await;
    assert_eq!(world.link(customer).await, LinkStatus::Unconfirmed);
    world.hear(&FakeCallbacks::ended(&user(1), after(2))).await;
    assert_eq!(world.link(customer).await, LinkStatus::Left(after(2)));
    world.hear(&FakeCallbacks::began(&user(1), after(3))).await;
    assert_eq!(
        world.link(customer).await,
        LinkStatus::Unconfirmed,
        "no message so far"
    );
    world
        .hear(&FakeCallbacks::message(&user(1), after(4), "はい"))
        .await;
    world.hear(&FakeCallbacks::ended(&user(1), after(5))).await;
    world.hear(&FakeCallbacks::began(&user(1), after(6))).await;
    assert_eq!(world.link(customer).await, LinkStatus::Active, "a message exists");
    world.hear(&FakeCallbacks::ended(&user(1), after(7))).await;
    world
        .hear(&FakeCallbacks::message(&user(1), after(8), "戻りました"))
        .await;
    assert_eq!(world.link(customer).await, LinkStatus::Active);
}

#[tokio::test]
async fn late_events_do_not_rewrite_the_present() {
    let (world, customer) = world_with_customer().await;
    world.hear(&FakeCallbacks::ended(&user(1), after(10))).await;
    world
        .hear(&FakeCallbacks::message(&user(1), after(9), "遅れて"))
        .await;
    world.hear(&FakeCallbacks::began(&user(1), after(8))).await;
    assert_eq!(world.link(customer).await, LinkStatus::Left(after(10)));
    world
        .hear(&FakeCallbacks::message(&user(1), after(11), "戻りました"))
        .await;
    world.hear(&FakeCallbacks::ended(&user(1), after(7))).await;
    assert_eq!(world.link(customer).await, LinkStatus::Active);
    assert_eq!(world.plain_page(customer).await, ["遅れて", "戻りました"]);
}

#[tokio::test]
async fn within_a_batch_the_newest_event_counts() {
    let (world, customer) = world_with_customer().await;
    for body in [
        FakeCallbacks::ended(&user(1), after(5)),
        FakeCallbacks::message(&user(1), after(3), "はい"),
        FakeCallbacks::began(&user(1), after(1)),
    ] {
        world.post(&body).await.unwrap();
    }
    world.record().await;
    assert_eq!(world.link(customer).await, LinkStatus::Left(after(5)));
}

#[tokio::test]
async fn a_message_queued_first_does_not_hide_what_was_said_before() {
    let (world, customer) = world_with_customer().await;
    let to = Recipient::Customer(customer);
    world
        .crm
        .queue_message(&member(), to, text("もしもし"), None)
        .await
        .unwrap();
    world
        .hear(&FakeCallbacks::message(&user(1), start(), "遅れて"))
        .await;
    assert_eq!(world.link(customer).await, LinkStatus::Active);
}

#[tokio::test]
async fn a_customer_who_gets_the_id_later_sees_its_state() {
    let (world, _) = world_with_customer().await;
    world
        .hear(&FakeCallbacks::message(&user(1), after(1), "こんにちは"))
        .await;
    let later = world.customer(customer_on("佐藤", "花子", &user(1))).await;
    assert_eq!(world.link(later).await, LinkStatus::Active);
}

#[tokio::test]
async fn deleting_the_last_message_takes_the_proof_away() {
    let (world, customer) = world_with_customer().await;
    for (at, text) in [(1, "一"), (2, "二")] {
        world
            .hear(&FakeCallbacks::message(&user(1), after(at), text))
            .await;
    }
    let ids: Vec<_> = world
        .page(customer)
        .await
        .iter()
        .map(|activity| activity.id)
        .collect();
    world.crm.delete_message(&member(), ids[0]).await.unwrap();
    assert_eq!(world.link(customer).await, LinkStatus::Active);
    world.crm.delete_message(&member(), ids[1]).await.unwrap();
    assert_eq!(world.link(customer).await, LinkStatus::Unconfirmed);
    world.crm.restore_message(&member(), ids[0]).await.unwrap();
    assert_eq!(world.link(customer).await, LinkStatus::Active);
    world.hear(&FakeCallbacks::ended(&user(1), after(3))).await;
    world.crm.delete_message(&member(), ids[0]).await.unwrap();
    assert_eq!(
        world.link(customer).await,
        LinkStatus::Left(after(3)),
        "who left has left"
    );
}

#[tokio::test]
async fn a_room_says_nothing_of_the_persons_own_talk() {
    let (world, customer) = world_with_customer().await;
    world
        .hear(&FakeCallbacks::room_message(
            &user(1),
            &user(77),
            after(1),
            "みなさん",
        ))
        .await;
    assert_eq!(world.link(customer).await, LinkStatus::Unconfirmed);
}
