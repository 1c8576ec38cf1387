//! The daily run: what is over its time goes, and a hold wins.

use crm_domain::erasures::{ErasureCause, ErasureState};
use crm_domain::error::Error;
use crm_domain::permissions::Actor;
use crm_domain::ports::store::StoreExt as _;
use crm_domain::receipts::ReceiptId;
use crm_domain::retention::RuleKind;
use crm_domain::tally::DataKind;
use crm_domain::use_cases::Restoration;
use crm_testkit::fakes::FakeCallbacks;
use crm_testkit::fixtures::{admin, company_details, customer_details, customer_on, member, user};
use time::Duration;

use crate::world::{World, broken, code};

const JOB: Actor = Actor::Job("test");

async fn say(world: &World, number: u32, words: &str) {
    let body = FakeCallbacks::message(&user(number), world.crm.now(), words);
    world.hear(&body).await;
}

async fn bodies(world: &World) -> usize {
    let read = world
        .store
        .read::<_, Error, _>(|unit| Ok(unit.erasures().bodies_after(ReceiptId::new(0), 99)?));
    read.await.unwrap().len()
}

#[tokio::test]
async fn the_trash_is_emptied_after_thirty_days() {
    let world = World::new();
    let id = world.customer(customer_details("山田", "太郎")).await;
    let held = world.customer(customer_details("佐藤", "花子")).await;
    let company = world.company(company_details("青空")).await;
    world.crm.place_hold(&admin(), Some(held), "訴訟").await.unwrap();
    world.crm.discard_customer(&admin(), id).await.unwrap();
    world.crm.discard_customer(&admin(), held).await.unwrap();
    world.crm.discard_company(&admin(), company).await.unwrap();
    world.pass(Duration::days(30));
    world.crm.keep_house(&JOB).await.unwrap();
    let trash = async || world.crm.list_trash(&admin(), None, 9).await.unwrap();
    assert_eq!(trash().await.items.len(), 3, "thirty days are not over");
    world.pass(Duration::seconds(1));
    let run = world.crm.keep_house(&JOB).await.unwrap();
    assert_eq!(
        (
            run.tally.count(DataKind::Customers),
            run.tally.count(DataKind::Companies)
        ),
        (1, 1)
    );
    let left = trash().await;
    assert_eq!((left.items.len(), left.held.len()), (1, 1));
    let receipts = world.crm.retention(&admin()).await.unwrap().receipts;
    assert_eq!(
        (receipts[0].cause, receipts[0].state),
        (ErasureCause::Trash, ErasureState::Done)
    );
    let gone = world.crm.restore_customer(&admin(), id, true).await;
    assert!(matches!(gone, Err(Error::NotFound("customer"))));
    let back = world.crm.restore_customer(&admin(), held, false).await.unwrap();
    assert_eq!(back, Restoration::Done);
}

#[tokio::test]
async fn bodies_go_after_seven_days_and_nothing_goes_while_all_is_held() {
    let world = World::new();
    let taro = world.customer(customer_on("山田", "太郎", &user(1))).await;
    say(&world, 1, "こんにちは").await;
    assert_eq!((bodies(&world).await, world.page(taro).await.len()), (1, 1));
    world.pass(Duration::days(8));
    let hold = world.crm.place_hold(&admin(), None, "訴訟").await.unwrap();
    let run = world.crm.keep_house(&JOB).await.unwrap();
    assert!(run.held && run.tally.is_empty());
    assert_eq!(bodies(&world).await, 1);
    let erased = world.crm.erase_customer(&admin(), taro).await;
    assert!(matches!(erased, Err(Error::Held)));
    world.crm.lift_hold(&admin(), hold).await.unwrap();
    let run = world.crm.keep_house(&JOB).await.unwrap();
    assert_eq!(run.tally.count(DataKind::Bodies), 1);
    assert_eq!((bodies(&world).await, world.page(taro).await.len()), (0, 1));
    assert!(!world.crm.house_is_due(&JOB).await.unwrap());
    world.pass(Duration::days(1));
    assert!(world.crm.house_is_due(&JOB).await.unwrap());
}

#[tokio::test]
async fn an_erasure_that_is_broken_off_is_gone_on_with_and_none_waits_for_another() {
    let world = World::new();
    let taro = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let hanako = world.customer(customer_on("佐藤", "花子", &user(2))).await;
    for (number, customer) in [(1, taro), (2, hanako)] {
        say(&world, number, "こんにちは").await;
        let begun = world.crm.begin_erasing(&admin(), customer).await.unwrap();
        world.store.fail_next(broken());
        let broken_off = world.crm.go_on_erasing(&admin(), begun).await;
        assert_eq!(code(broken_off), "store_unavailable");
        let hidden = world.crm.show_customer(&admin(), customer).await;
        assert!(matches!(hidden, Err(Error::NotFound("customer"))));
    }
    world.store.fail_next(broken());
    let pursued = world.crm.pursue_erasures(&JOB).await;
    assert_eq!(code(pursued), "store_unavailable", "the first cannot go on");
    let states = async || {
        let receipts = world.crm.retention(&admin()).await.unwrap().receipts;
        receipts.iter().map(|receipt| receipt.state).collect::<Vec<_>>()
    };
    assert_eq!(states().await, [ErasureState::Done, ErasureState::Running]);
    assert_eq!(world.crm.pursue_erasures(&JOB).await.unwrap(), 1);
    assert_eq!(states().await, [ErasureState::Done, ErasureState::Done]);
}

#[tokio::test]
async fn an_erasure_that_another_is_at_is_left_to_it() {
    let world = World::new();
    let other = world.beside();
    let taro = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let begun = world.crm.begin_erasing(&admin(), taro).await.unwrap();
    assert_eq!(other.crm.pursue_erasures(&JOB).await.unwrap(), 0);
    let asked_again = other.crm.erase_customer(&admin(), taro).await.unwrap();
    assert_eq!(asked_again.state, ErasureState::Running);
    let receipt = world.crm.go_on_erasing(&admin(), begun).await.unwrap();
    assert_eq!((receipt.id, receipt.state), (asked_again.id, ErasureState::Done));
}

#[tokio::test]
async fn rules_take_old_messages_and_silent_strangers() {
    let world = World::new();
    let taro = world.customer(customer_on("山田", "太郎", &user(1))).await;
    say(&world, 1, "古い話").await;
    say(&world, 2, "誰かの話").await;
    world.pass(Duration::days(70));
    say(&world, 1, "新しい話").await;
    let rules = [(RuleKind::Messages, "2"), (RuleKind::UnknownSenders, "　２ ")];
    world.crm.set_rules(&admin(), &rules).await.unwrap();
    let seen = world.crm.retention(&admin()).await.unwrap();
    let counts: Vec<u64> = seen.rules.iter().map(|rule| rule.foreseen.count).collect();
    assert_eq!(counts[0], 1);
    let run = world.crm.keep_house(&JOB).await.unwrap();
    assert_eq!(run.tally.count(DataKind::Activities), 1);
    assert_eq!(run.tally.count(DataKind::Conversations), 1);
    let page = world.page(taro).await;
    assert_eq!(page.len(), 1);
    assert_eq!(page[0].message, "新しい話");
}

#[tokio::test]
async fn plain_members_neither_erase_nor_set_rules() {
    let world = World::new();
    let id = world.customer(customer_details("山田", "太郎")).await;
    let erased = world.crm.erase_customer(&member(), id).await;
    assert!(matches!(erased, Err(Error::Denied(_))));
    let set = world.crm.set_rules(&member(), &[(RuleKind::Notes, "1")]).await;
    assert!(matches!(set, Err(Error::Denied(_))));
    let wrong = world.crm.set_rules(&admin(), &[(RuleKind::Notes, "0")]).await;
    assert!(matches!(wrong, Err(Error::Invalid(_))));
    assert!(world.crm.export_customer(&member(), id).await.is_err());
    assert!(world.crm.export_customer(&admin(), id).await.is_ok());
}
