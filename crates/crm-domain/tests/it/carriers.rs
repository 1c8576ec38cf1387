//! What was said before a customer carried the id: shown from the beginning, once, on every page.

use crm_domain::customers::{CustomerDetails, CustomerFilter, CustomerId};
use crm_domain::paging::PageRequest;
use crm_domain::ports::store::StoreError;
use crm_domain::use_cases::{Recipient, UnknownSender};
use crm_testkit::fakes::FakeCallbacks;
use crm_testkit::fixtures::{admin, after, customer_details, customer_on, member, profile, text, user};
use time::Duration;

use crate::world::{JOB, World, broken};

async fn says(world: &World, number: u32, second: i64, words: &str) {
    world
        .hear(&FakeCallbacks::message(&user(number), after(second), words))
        .await;
}

async fn unknown(world: &World) -> Vec<UnknownSender> {
    world.crm.unknown_senders(&member(), None, 50).await.unwrap()
}

async fn link(world: &World, customer: CustomerId, number: Option<u32>) {
    let user = number.map(user);
    world.crm.link_customer(&member(), customer, user).await.unwrap();
}

/// A stranger who wrote twice and got an answer in between that is noted beside.
async fn stranger() -> World {
    let world = World::new();
    says(&world, 1, 1, "はじめまして").await;
    world.pass(Duration::seconds(2));
    let to = Recipient::User(user(1));
    world
        .crm
        .queue_message(&member(), to, text("どちら様でしょうか"), None)
        .await
        .unwrap();
    world.crm.deliver_next(&JOB, "run").await.unwrap();
    says(&world, 1, 5, "山田です").await;
    world
}

const WHOLE: [&str; 3] = ["はじめまして", "[送信] どちら様でしょうか", "山田です"];

#[tokio::test]
async fn a_stranger_is_kept_whole_and_waits_like_everybody() {
    let world = stranger().await;
    let strangers = unknown(&world).await;
    let [stranger] = strangers.as_slice() else {
        panic!("one sender: {strangers:?}");
    };
    let words: Vec<_> = stranger
        .received
        .iter()
        .map(|(_, _, said)| said.message.as_str())
        .collect();
    assert_eq!(words, ["はじめまして", "山田です"]);
    assert_eq!(stranger.sent[0].text, "どちら様でしょうか");
    let standing = &stranger.line.conversation.standing;
    assert_eq!(standing.waiting_since, Some(after(5)), "the first was answered");
    assert_eq!(world.crm.board_counts(&admin(), 9).await.unwrap().unknown, 1);
    let one = world
        .crm
        .unknown_sender(&member(), stranger.line.conversation.id)
        .await;
    assert_eq!(one.unwrap(), *stranger);
}

#[tokio::test]
async fn however_the_id_comes_to_a_customer_the_earlier_messages_appear() {
    for way in ["registered", "linked", "revised", "imported"] {
        let world = stranger().await;
        let details = customer_on("山田", "太郎", &user(1));
        let customer = match way {
            "registered" => world.customer(details).await,
            "imported" => world.crm.import_customer(&admin(), details).await.unwrap(),
            _ => {
                let customer = world.customer(customer_details("山田", "太郎")).await;
                if way == "linked" {
                    link(&world, customer, Some(1)).await;
                } else {
                    let by = member();
                    let revised = world.crm.revise_customer(&by, customer, None, details);
                    revised.await.unwrap();
                }
                customer
            }
        };
        assert_eq!(world.plain_page(customer).await, WHOLE, "{way}");
        assert!(unknown(&world).await.is_empty(), "{way}");
        says(&world, 1, 9, "もしもし").await;
        assert_eq!(world.page(customer).await.len(), 4, "{way}");
    }
}

#[tokio::test]
async fn a_second_customer_with_the_id_shows_the_whole_talk_once() {
    let world = stranger().await;
    let first = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let deleted = world.page(first).await[0].id;
    world.crm.delete_message(&member(), deleted).await.unwrap();
    let key = Some("key".to_owned());
    world
        .crm
        .write_note(&member(), first, text("要注意"), key)
        .await
        .unwrap();
    let second = world.customer(customer_on("山田", "花子", &user(1))).await;
    let shown = ["[送信] どちら様でしょうか", "山田です", "[社内メモ] 要注意"];
    assert_eq!(
        world.plain_page(second).await,
        shown,
        "what was deleted does not come back"
    );
    link(&world, second, None).await;
    link(&world, second, Some(1)).await;
    link(&world, first, Some(1)).await;
    assert_eq!(world.plain_page(second).await, shown);
    assert_eq!(world.plain_page(first).await, shown);
}

#[tokio::test]
async fn a_customer_in_the_trash_makes_the_sender_unknown_again() {
    let world = stranger().await;
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    world.crm.discard_customer(&member(), customer).await.unwrap();
    says(&world, 1, 20, "もしもし").await;
    let strangers = unknown(&world).await;
    let words: Vec<_> = strangers[0]
        .received
        .iter()
        .map(|(_, _, said)| said.message.as_str())
        .collect();
    assert_eq!(words, ["もしもし"], "what came since");
    let again = world.customer(customer_on("山田", "太郎", &user(1))).await;
    assert_eq!(
        world.page(again).await.len(),
        4,
        "nothing is lost with the one in the trash"
    );
}

#[tokio::test]
async fn what_was_said_in_a_room_appears_with_the_customer() {
    let world = World::new();
    let room = user(50);
    let said =
        |number, second, words| FakeCallbacks::room_message(&user(number), &room, after(second), words);
    world.hear(&said(1, 1, "みなさん")).await;
    world.hear(&said(2, 2, "はい")).await;
    assert!(unknown(&world).await.is_empty(), "nobody waits for us in a room");
    let rooms = world.crm.unknown_rooms(&member()).await.unwrap();
    let words: Vec<_> = rooms[0]
        .received
        .iter()
        .map(|(_, _, said)| said.message.as_str())
        .collect();
    assert_eq!(words, ["みなさん", "はい"]);
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let page = world.page(customer).await;
    assert_eq!(
        (page.len(), page[0].message.as_str(), page[0].in_room),
        (1, "みなさん", true)
    );
    assert_eq!(
        world.crm.unknown_rooms(&member()).await.unwrap()[0]
            .received
            .len(),
        1
    );
}

#[tokio::test]
async fn a_claim_that_is_broken_off_anywhere_is_taken_up_and_doubles_nothing() {
    // So many units of work are stored without an answer, then one fails.
    for stored in 0..7 {
        let world = stranger().await;
        let expected: Vec<String> = WHOLE.iter().map(|words| (*words).to_owned()).collect();
        for _ in 0..stored {
            world.store.fail_next_though_stored(StoreError::Uncertain);
        }
        world.store.fail_next(broken());
        let details: CustomerDetails = customer_on("山田", "太郎", &user(1));
        let made = world.crm.register_customer(&admin(), details.clone()).await;
        let customer = match made {
            Ok(customer) => customer,
            Err(error) if stored == 0 => {
                assert_eq!(error.code(), "store_unavailable");
                world.customer(details).await
            }
            Err(error) => {
                // It was stored, and whether it was could not be found out.
                assert_eq!(error.code(), "store_uncertain", "after {stored}");
                world.only_customer().await
            }
        };
        // What is left of the faults hits the first of these.
        let mut tries = 0..9;
        while world.crm.claim_conversations(&JOB).await.is_err() {
            assert!(tries.next().is_some());
        }
        assert_eq!(world.plain_page(customer).await, expected, "after {stored}");
        assert_eq!(world.crm.claim_conversations(&JOB).await.unwrap(), 0);
    }
}

impl World {
    /// The one customer that there is.
    async fn only_customer(&self) -> CustomerId {
        let (filter, page) = (CustomerFilter::default(), PageRequest::first(9));
        let found = self.crm.list_customers(&admin(), filter, page).await.unwrap();
        assert_eq!(found.items.len(), 1);
        found.items[0].customer.id
    }
}

#[tokio::test]
async fn many_earlier_messages_come_in_chunks() {
    let world = World::new();
    for number in 0..450 {
        let body = FakeCallbacks::message(&user(1), after(number), &number.to_string());
        world.post(&body).await.unwrap();
    }
    while world.record().await.more {}
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let twin = world.customer(customer_on("山田", "花子", &user(1))).await;
    for customer in [customer, twin] {
        let page = world.plain_page(customer).await;
        let expected: Vec<String> = (0..450).map(|number| number.to_string()).collect();
        assert_eq!(page, expected);
    }
}

#[tokio::test]
async fn senders_register_by_themselves_once_the_directory_was_asked() {
    let world = World::new();
    world.profiles.add(profile(&user(1)));
    for second in 0..3 {
        says(&world, 1, second, "はじめまして").await;
        says(&world, 2, second, "もしもし").await;
    }
    let register = async || {
        world
            .crm
            .register_unknown_senders(&JOB, "名前未取得")
            .await
            .unwrap()
    };
    assert_eq!(register().await, 0, "nobody was asked yet");
    world.crm.fetch_names(&JOB, 10).await.unwrap();
    assert_eq!((register().await, register().await), (2, 0));
    assert!(unknown(&world).await.is_empty());
    let jiro = profile(&user(1)).name.full();
    let mut names = world.customer_names().await;
    names.sort();
    let mut expected = vec![jiro, format!("名前未取得 {}", user(2).short())];
    expected.sort();
    assert_eq!(names, expected);
    let filter = CustomerFilter::default();
    let page = PageRequest::first(9);
    let made = world.crm.list_customers(&admin(), filter, page).await.unwrap();
    for line in made.items {
        assert!(line.customer.needs_look, "要確認");
        assert_eq!(world.page(line.customer.id).await.len(), 3);
        world
            .crm
            .discard_customer(&member(), line.customer.id)
            .await
            .unwrap();
    }
    says(&world, 1, 9, "まだいます").await;
    assert_eq!(
        register().await,
        0,
        "whom somebody deleted does not come back by himself"
    );
}
