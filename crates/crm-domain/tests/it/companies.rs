//! Companies: registered, revised by two at once, discarded, and what their people said.

use crm_domain::activities::ActivityPlace;
use crm_domain::companies::{CompanyFilter, CompanyId};
use crm_domain::paging::PageRequest;
use crm_testkit::fakes::FakeCallbacks;
use crm_testkit::fixtures::{admin, after, company_details, customer_of, member, user};

use crate::world::{World, code};

#[tokio::test]
async fn a_registered_company_stands_in_the_list_with_its_customers_counted() {
    let world = World::new();
    let id = world
        .crm
        .register_company(&member(), company_details("青空商事"))
        .await
        .unwrap();
    world.customer(customer_of("山田", "太郎", id)).await;
    let page = PageRequest::first(50);
    let page = world
        .crm
        .list_companies(&member(), CompanyFilter::default(), page)
        .await
        .unwrap();
    let lines: Vec<_> = page
        .items
        .iter()
        .map(|line| (line.company.id, line.customers))
        .collect();
    assert_eq!(lines, [(id, 1)]);
    let company = world.crm.show_company(&member(), id).await.unwrap();
    assert_eq!(
        (company.details, company.version),
        (company_details("青空商事"), 1)
    );
}

#[tokio::test]
async fn of_two_who_edit_the_second_is_told() {
    let world = World::new();
    let id = world.company(company_details("一")).await;
    let revise = async |version, name: &str| {
        world
            .crm
            .revise_company(&member(), id, version, company_details(name))
            .await
    };
    revise(Some(1), "二").await.unwrap();
    assert_eq!(code(revise(Some(1), "三").await), "stale");
    revise(None, "四").await.unwrap();
    let company = world.crm.show_company(&member(), id).await.unwrap();
    assert_eq!((company.details.name.as_str(), company.version), ("四", 3));
    let nowhere = CompanyId::new(404);
    let unknown = world
        .crm
        .revise_company(&member(), nowhere, None, company_details("五"))
        .await;
    assert_eq!(code(unknown), "not_found");
}

#[tokio::test]
async fn a_discarded_company_leaves_its_people() {
    let world = World::new();
    let id = world.company(company_details("青空商事")).await;
    let customer = world.customer(customer_of("山田", "太郎", id)).await;
    world.crm.discard_company(&member(), id).await.unwrap();
    let line = world.crm.show_customer(&member(), customer).await.unwrap();
    assert_eq!(
        (line.customer.details.company_id, line.company_name),
        (None, None)
    );
    assert_eq!(code(world.crm.show_company(&admin(), id).await), "not_found");
    assert_eq!(code(world.crm.discard_company(&admin(), id).await), "not_found");
    assert_eq!(
        code(world.crm.company_conversation(&admin(), id, None, 9).await),
        "not_found"
    );
    let named = world
        .crm
        .companies_named(&admin(), &company_details("青空商事"))
        .await
        .unwrap();
    assert!(named.is_empty());
}

#[tokio::test]
async fn a_company_of_the_same_name_is_told_of_and_not_refused() {
    let world = World::new();
    let first = world.company(company_details("株式会社アオゾラ")).await;
    let second = company_details("株式会社 ｱｵｿﾞﾗ");
    let named = world.crm.companies_named(&member(), &second).await.unwrap();
    assert_eq!(
        named.iter().map(|company| company.id).collect::<Vec<_>>(),
        [first]
    );
    assert_ne!(world.company(second).await, first);
}

#[tokio::test]
async fn a_companys_conversation_is_what_all_its_people_said() {
    let world = World::new();
    let id = world.company(company_details("青空商事")).await;
    for (number, name) in [(1, "太郎"), (2, "花子")] {
        let mut details = customer_of("山田", name, id);
        details.line_user_id = Some(user(number));
        world.customer(details).await;
    }
    for (who, at, text) in [(1, 1, "一"), (2, 2, "二"), (1, 3, "三"), (9, 4, "他人")] {
        let body = FakeCallbacks::message(&user(who), after(at), text);
        world.hear(&body).await;
    }
    let of = async |before| {
        let found = world
            .crm
            .company_conversation(&member(), id, before, 2)
            .await
            .unwrap();
        let words: Vec<_> = found.iter().map(|activity| activity.message.clone()).collect();
        let last = found.last().map(|activity| ActivityPlace {
            timestamp: activity.timestamp,
            id: activity.id,
        });
        (words, last)
    };
    let (newest, last) = of(None).await;
    assert_eq!(newest, ["三", "二"]);
    assert_eq!(of(last).await.0, ["一"]);
}
