//! Customers: registered, revised by two at once, linked, discarded.

use crm_domain::companies::CompanyId;
use crm_domain::conversations::LinkStatus;
use crm_domain::customers::{CustomerFilter, CustomerId, CustomerPrefix};
use crm_domain::paging::PageRequest;
use crm_domain::ports::store::StoreError;
use crm_testkit::fakes::FakeCallbacks;
use crm_testkit::fixtures::{
    admin, after, company_details, customer_details, customer_of, customer_on, member, start, user,
};
use time::Duration;

use crate::world::{World, broken, code, faults};

#[tokio::test]
async fn a_registered_customer_stands_in_the_list_and_on_a_page() {
    let world = World::new();
    let company = world.company(company_details("青空商事")).await;
    let details = customer_of("山田", "太郎", company);
    let id = world
        .crm
        .register_customer(&member(), details.clone())
        .await
        .unwrap();
    let line = world.crm.show_customer(&member(), id).await.unwrap();
    assert_eq!((line.customer.details, line.customer.version), (details, 1));
    assert_eq!(
        (line.customer.created_at, line.company_name.as_deref()),
        (start(), Some("青空商事"))
    );
    assert_eq!(line.link, LinkStatus::NotSet);
    let filter = CustomerFilter {
        prefix: CustomerPrefix::new("山田太"),
        company: Some(company),
    };
    let page = world
        .crm
        .list_customers(&member(), filter, PageRequest::first(50))
        .await
        .unwrap();
    assert_eq!(
        page.items.iter().map(|line| line.customer.id).collect::<Vec<_>>(),
        [id]
    );
}

#[tokio::test]
async fn of_two_who_edit_the_second_is_told() {
    let world = World::new();
    let id = world.customer(customer_details("山田", "太郎")).await;
    let revise = async |version, first: &str| {
        let details = customer_details("山田", first);
        world.crm.revise_customer(&member(), id, version, details).await
    };
    world.pass(Duration::seconds(5));
    revise(Some(1), "花子").await.unwrap();
    assert_eq!(code(revise(Some(1), "次郎").await), "stale");
    assert_eq!(world.customer_names().await, ["山田 花子"]);
    let stored = world.crm.show_customer(&member(), id).await.unwrap().customer;
    assert_eq!(
        (stored.version, stored.created_at, stored.updated_at),
        (2, start(), after(5))
    );
    revise(None, "三郎").await.unwrap();
    assert_eq!(world.customer_names().await, ["山田 三郎"]);
}

#[tokio::test]
async fn a_company_that_is_not_there_is_a_fault_of_its_field() {
    let world = World::new();
    let nowhere = customer_of("山田", "太郎", CompanyId::new(404));
    let registered = world.crm.register_customer(&admin(), nowhere.clone()).await;
    assert_eq!(faults(registered), [("company_id", "missing")]);
    let id = world.customer(customer_details("山田", "太郎")).await;
    let revised = world.crm.revise_customer(&admin(), id, Some(1), nowhere).await;
    assert_eq!(faults(revised), [("company_id", "missing")]);
}

#[tokio::test]
async fn what_lies_in_the_trash_is_not_found() {
    let world = World::new();
    let id = world.customer(customer_on("山田", "太郎", &user(1))).await;
    world
        .hear(&FakeCallbacks::message(&user(1), start(), "こんにちは"))
        .await;
    world.crm.discard_customer(&member(), id).await.unwrap();
    let details = customer_details("山田", "花子");
    assert!(world.customer_names().await.is_empty());
    assert_eq!(code(world.crm.show_customer(&admin(), id).await), "not_found");
    assert_eq!(
        code(world.crm.revise_customer(&admin(), id, None, details).await),
        "not_found"
    );
    assert_eq!(
        code(world.crm.link_customer(&admin(), id, None).await),
        "not_found"
    );
    assert_eq!(code(world.crm.discard_customer(&admin(), id).await), "not_found");
    assert_eq!(
        code(world.crm.conversation(&admin(), id, None, 9).await),
        "not_found"
    );
    assert_eq!(
        code(world.crm.new_messages(&admin(), id, None, 9).await),
        "not_found"
    );
    assert_eq!(
        code(world.crm.check_customer(&admin(), user(1)).await),
        "not_found"
    );
    let unknown = world.crm.show_customer(&admin(), CustomerId::new(404)).await;
    assert_eq!(code(unknown), "not_found");
}

#[tokio::test]
async fn linking_changes_the_user_id_and_nothing_else() {
    let world = World::new();
    let company = world.company(company_details("青空商事")).await;
    let details = customer_of("山田", "太郎", company);
    let id = world.customer(details.clone()).await;
    world
        .crm
        .link_customer(&member(), id, Some(user(1)))
        .await
        .unwrap();
    let mut linked = details.clone();
    linked.line_user_id = Some(user(1));
    let line = world.crm.show_customer(&member(), id).await.unwrap();
    assert_eq!(
        (line.customer.details, line.link),
        (linked, LinkStatus::Unconfirmed)
    );
    world.crm.link_customer(&member(), id, None).await.unwrap();
    let line = world.crm.show_customer(&member(), id).await.unwrap();
    assert_eq!((line.customer.details, line.link), (details, LinkStatus::NotSet));
}

#[tokio::test]
async fn the_check_shows_who_carries_an_id_and_the_last_five_messages() {
    let world = World::new();
    assert_eq!(
        code(world.crm.check_customer(&admin(), user(1)).await),
        "not_found"
    );
    let first = world.customer(customer_on("山田", "太郎", &user(1))).await;
    for number in 1..=7 {
        let body = FakeCallbacks::message(&user(1), after(number), &format!("{number}"));
        world.hear(&body).await;
    }
    let second = world.customer(customer_on("山田", "花子", &user(1))).await;
    let check = world.crm.check_customer(&admin(), user(1)).await.unwrap();
    let ids: Vec<_> = check.customers.iter().map(|line| line.customer.id).collect();
    assert_eq!(ids, [first, second]);
    let recent: Vec<_> = check
        .recent
        .iter()
        .map(|activity| activity.message.as_str())
        .collect();
    assert_eq!(recent, ["7", "6", "5", "4", "3"]);
}

#[tokio::test]
async fn an_uncertain_registration_is_looked_up_before_anything_is_said() {
    let world = World::new();
    world.store.fail_next_though_stored(StoreError::Uncertain);
    let id = world.customer(customer_details("山田", "太郎")).await;
    assert!(world.crm.show_customer(&admin(), id).await.is_ok());
    world.store.fail_next(StoreError::Uncertain);
    let lost = world
        .crm
        .register_customer(&admin(), customer_details("佐藤", "花子"))
        .await;
    assert_eq!(code(lost), "store_unavailable");
    world.store.fail_next(broken());
    let refused = world
        .crm
        .register_customer(&admin(), customer_details("鈴木", "一郎"))
        .await;
    assert_eq!(code(refused), "store_unavailable");
    assert_eq!(world.customer_names().await, ["山田 太郎"]);
}
