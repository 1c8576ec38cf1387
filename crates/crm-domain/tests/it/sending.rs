//! Sending: queued by who writes, delivered by a worker.

use crm_domain::conversations::LinkStatus;
use crm_domain::customers::CustomerId;
use crm_domain::error::Error;
use crm_domain::ports::store::StoreError;
use crm_domain::sends::{Queued, SendId, SendState};
use crm_domain::use_cases::Recipient;
use crm_testkit::fixtures::{
    BOT, admin, after, customer_details, customer_on, member, operator, person, start, text, user,
};
use time::Duration;

use crate::world::{JOB, World, broken, claim, code, faults};

async fn queue(world: &World, to: CustomerId, words: &str, key: Option<&str>) -> Result<Queued, Error> {
    let (to, key) = (Recipient::Customer(to), key.map(str::to_owned));
    world.crm.queue_message(&member(), to, text(words), key).await
}

pub(crate) async fn deliver_all(world: &World) -> usize {
    let mut delivered = 0;
    while world.crm.deliver_next(&JOB, "run").await.unwrap().is_some() {
        delivered += 1;
    }
    delivered
}

#[tokio::test]
async fn a_message_is_on_the_page_before_it_leaves_and_sent_afterwards() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let other = world.customer(customer_on("山田", "花子", &user(1))).await;
    let queued = queue(&world, customer, "お世話になります", None).await.unwrap();
    assert!(matches!(queued, Queued::Added(_)));
    for customer in [customer, other] {
        assert_eq!(world.plain_page(customer).await, ["[送信待ち] お世話になります"]);
    }
    assert!(world.messenger.sent().is_empty());
    world.pass(Duration::seconds(2));
    let delivered = world.crm.deliver_next(&JOB, "run").await.unwrap().unwrap();
    assert_eq!(
        (delivered.id, delivered.state, delivered.problem),
        (queued.id(), SendState::Sent, None)
    );
    let sent = world.messenger.sent();
    assert_eq!(
        (sent[0].bot.as_str(), &sent[0].to, sent[0].text.as_str()),
        (BOT, &user(1), "お世話になります")
    );
    for customer in [customer, other] {
        let page = world.page(customer).await;
        assert_eq!(page[0].plain_text(), "[送信] お世話になります");
        assert_eq!(page[0].timestamp, start(), "when it was asked for");
        assert_eq!(page[0].sending.as_ref().unwrap().author, "一般 太郎");
        assert_eq!(world.link(customer).await, LinkStatus::Active);
    }
    let stored = world.crm.show_send(&member(), queued.id()).await.unwrap();
    assert_eq!(
        (stored.state, stored.queued_at, stored.finished_at),
        (SendState::Sent, start(), Some(after(2)))
    );
    assert_eq!(world.crm.deliver_next(&JOB, "run").await.unwrap(), None);
}

#[tokio::test]
async fn the_same_key_sends_once() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let first = queue(&world, customer, "はい", Some("key")).await.unwrap();
    assert_eq!(
        queue(&world, customer, "はい", Some(" key ")).await.unwrap(),
        Queued::Existed(first.id())
    );
    deliver_all(&world).await;
    assert_eq!(
        queue(&world, customer, "はい", Some("key")).await.unwrap(),
        Queued::Existed(first.id())
    );
    assert_eq!(deliver_all(&world).await, 0);
    assert_eq!(world.plain_page(customer).await, ["[送信] はい"]);
}

#[tokio::test]
async fn a_key_of_another_message_is_refused() {
    let world = World::new();
    let taro = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let hanako = world.customer(customer_on("山田", "花子", &user(2))).await;
    queue(&world, taro, "はい", Some("key")).await.unwrap();
    for (customer, words) in [(taro, "いいえ"), (hanako, "はい")] {
        let refused = queue(&world, customer, words, Some("key")).await;
        assert!(
            matches!(&refused, Err(Error::Invalid(fields)) if fields[0].field == "key"),
            "{refused:?}"
        );
    }
    assert_eq!(deliver_all(&world).await, 1);
    assert_eq!(world.plain_page(hanako).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_key_belongs_to_its_author() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    for actor in [member(), admin(), operator()] {
        let (to, key) = (Recipient::Customer(customer), Some("key".to_owned()));
        let queued = world
            .crm
            .queue_message(&actor, to, text("はい"), key)
            .await
            .unwrap();
        assert!(matches!(queued, Queued::Added(_)));
    }
    assert_eq!(deliver_all(&world).await, 3);
}

#[tokio::test]
async fn without_a_key_each_call_is_a_message_of_its_own() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    for key in [None, None, Some(""), Some("  ")] {
        assert!(matches!(
            queue(&world, customer, "はい", key).await,
            Ok(Queued::Added(_))
        ));
    }
    assert_eq!(deliver_all(&world).await, 4);
}

#[tokio::test]
async fn a_key_too_long_is_refused() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let long = "鍵".repeat(101);
    assert_eq!(
        faults(queue(&world, customer, "はい", Some(&long)).await),
        [("key", "too_long")]
    );
    assert!(queue(&world, customer, "はい", Some(&long[3..])).await.is_ok());
}

#[tokio::test]
async fn who_cannot_be_reached_is_told_before_anything_is_stored() {
    let world = World::new();
    let without_id = world.customer(customer_details("山田", "太郎")).await;
    assert_eq!(code(queue(&world, without_id, "はい", None).await), "no_address");
    assert_eq!(
        code(queue(&world, CustomerId::new(404), "はい", None).await),
        "not_found"
    );
    world.messengers.set(None);
    assert!(!world.crm.can_send());
    assert_eq!(code(queue(&world, without_id, "はい", None).await), "messenger");
    assert!(world.page(without_id).await.is_empty());
    assert_eq!(
        code(world.crm.show_send(&member(), SendId::new(1)).await),
        "not_found"
    );
}

#[tokio::test]
async fn a_message_to_a_user_id_needs_no_customer() {
    let world = World::new();
    let to = Recipient::User(user(5));
    let queued = world
        .crm
        .queue_message(&operator(), to, text("はい"), None)
        .await
        .unwrap();
    deliver_all(&world).await;
    let stored = world.crm.show_send(&member(), queued.id()).await.unwrap();
    assert_eq!(
        (stored.state, stored.to.address, stored.author.name.as_str()),
        (SendState::Sent, user(5), "operator")
    );
    let later = world.customer(customer_on("山田", "太郎", &user(5))).await;
    assert_eq!(world.link(later).await, LinkStatus::Active);
}

#[tokio::test]
async fn messages_of_a_conversation_leave_in_their_order() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    for words in ["一", "二", "三"] {
        queue(&world, customer, words, None).await.unwrap();
    }
    let first = claim(&world, "run").await.unwrap();
    assert_eq!(claim(&world, "run").await, None, "one at a time");
    let delivered = world.crm.dispatch_message("run", &first).await.unwrap();
    world
        .crm
        .settle_message(&JOB, "run", &first, &delivered)
        .await
        .unwrap();
    assert_eq!(deliver_all(&world).await, 2);
    assert_eq!(world.messenger.texts(), ["一", "二", "三"]);
}

#[tokio::test]
async fn the_author_is_the_one_who_wrote_it() {
    let world = World::new();
    let author = person(7, "鈴木 一郎", crm_domain::members::Role::Member);
    let to = Recipient::User(user(1));
    let queued = world
        .crm
        .queue_message(&author, to, text("はい"), None)
        .await
        .unwrap();
    let stored = world.crm.show_send(&member(), queued.id()).await.unwrap();
    assert_eq!(
        (stored.author.member_id, stored.author.name.as_str()),
        (author.member_id(), "鈴木 一郎")
    );
}

#[tokio::test]
async fn an_uncertain_queueing_is_looked_up_and_sends_once() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    for (key, other) in [(None, None), (Some("key"), Some("other key"))] {
        world.store.fail_next_though_stored(StoreError::Uncertain);
        assert!(matches!(
            queue(&world, customer, "はい", key).await,
            Ok(Queued::Existed(_))
        ));
        world.store.fail_next(StoreError::Uncertain);
        assert!(queue(&world, customer, "いいえ", other).await.is_ok());
    }
    world.store.fail_next(broken());
    assert_eq!(
        code(queue(&world, customer, "はい", None).await),
        "store_unavailable"
    );
    deliver_all(&world).await;
    assert_eq!(world.messenger.texts(), ["はい", "いいえ", "はい", "いいえ"]);
}
