//! Customers.

use std::collections::HashSet;
use std::sync::Arc;

use crm_domain::companies::CompanyId;
use crm_domain::conversations::{LinkState, LinkStatus};
use crm_domain::customers::{CustomerDetails, CustomerFilter, CustomerId, CustomerLine};
use crm_domain::paging::{Page, PageRequest};
use crm_domain::ports::store::StoreError;
use crm_domain::teams::Visible;
use crm_domain::values::Remarks;

use super::AnyStore;
use super::steps::{add_company, add_customer, at_once, open, open_talk, read, try_write, write};
use crate::fixtures::{
    after, company_details, customer_details, customer_of, customer_on, customer_read, email, phone, start,
    talk, user,
};

async fn found(store: &AnyStore, id: CustomerId) -> Option<CustomerLine> {
    read(store, move |unit| unit.customers().customer(id, &Visible::All)).await
}

async fn page(store: &AnyStore, company: Option<CompanyId>, request: PageRequest) -> Page<CustomerLine> {
    let filter = CustomerFilter {
        company,
        prefix: None,
    };
    read(store, move |unit| {
        unit.customers().customer_list(&filter, &request, &Visible::All)
    })
    .await
}

async fn names(store: &AnyStore, company: Option<CompanyId>) -> Vec<String> {
    let page = page(store, company, PageRequest::first(500)).await;
    let names = page.items.iter().map(|line| line.customer.details.name.full());
    names.collect()
}

async fn revise(
    store: &AnyStore,
    id: CustomerId,
    version: i64,
    details: CustomerDetails,
) -> Result<(), StoreError> {
    try_write(store, move |unit| {
        unit.edit_customers()
            .revise_customer(id, version, &details, after(60))
    })
    .await
}

async fn discard(store: &AnyStore, id: CustomerId) -> bool {
    write(store, move |unit| {
        unit.edit_customers().discard_customer(id, after(90))
    })
    .await
}

fn full_details(company: CompanyId) -> CustomerDetails {
    CustomerDetails {
        email: Some(email("Hanako.Yoshino+crm@Example.co.jp")),
        phone: Some(phone("+81 (3) 1234-5678")),
        line_user_id: Some(user(1)),
        company_id: Some(company),
        remarks: Remarks::new("一行目\n二行目 👩‍💼 '\"%_").expect("remarks"),
        ..customer_read(("𠮷野", "花子"), ("よしの", "ﾊﾅｺ"))
    }
}

pub async fn an_added_customer_is_found_with_version_1(store: AnyStore) {
    let company = add_company(&store, &company_details("青空")).await;
    for details in [
        full_details(company),
        customer_details("", "花子"),
        customer_details("山田", ""),
    ] {
        let id = add_customer(&store, &details).await;
        let customer = found(&store, id).await.expect("the customer is there").customer;
        assert_eq!(
            (customer.id, customer.details, customer.version),
            (id, details, 1)
        );
        assert_eq!((customer.created_at, customer.updated_at), (start(), start()));
    }
}

/// Several may carry the same e-mail, phone and user id too.
pub async fn equal_customers_never_collide(store: AnyStore) {
    let company = add_company(&store, &company_details("青空")).await;
    let ids = at_once(16, |_| {
        let store = Arc::clone(&store);
        async move { add_customer(&store, &full_details(company)).await }
    });
    assert_eq!(ids.await.iter().collect::<HashSet<_>>().len(), 16);
    assert_eq!(names(&store, Some(company)).await.len(), 16);
}

pub async fn an_unknown_customer_is_none(store: AnyStore) {
    for id in [1, i64::MAX] {
        assert_eq!(found(&store, CustomerId::new(id)).await, None);
        assert!(!discard(&store, CustomerId::new(id)).await);
    }
}

pub async fn a_company_that_is_not_there_or_in_the_trash_is_missing(store: AnyStore) {
    let gone = add_company(&store, &company_details("青空")).await;
    write(&store, move |unit| {
        unit.edit_companies().discard_company(gone, after(1))
    })
    .await;
    let id = add_customer(&store, &customer_details("山田", "太郎")).await;
    for company in [gone, CompanyId::new(404)] {
        let details = customer_of("佐藤", "花子", company);
        let again = details.clone();
        let added = try_write(&store, move |unit| {
            unit.edit_customers().add_customer(&details, start())
        });
        assert!(matches!(added.await, Err(StoreError::Missing("company_id"))));
        let revised = revise(&store, id, 1, again).await;
        assert!(matches!(revised, Err(StoreError::Missing("company_id"))));
    }
    assert_eq!(names(&store, None).await, ["山田 太郎"]);
}

pub async fn revising_replaces_every_detail_and_counts_the_version(store: AnyStore) {
    let company = add_company(&store, &company_details("青空")).await;
    let id = add_customer(&store, &customer_details("旧", "姓")).await;
    revise(&store, id, 1, full_details(company))
        .await
        .expect("it is revised");
    let line = found(&store, id).await.expect("the customer is there");
    assert_eq!(
        (line.customer.details, line.company_name.as_deref()),
        (full_details(company), Some("青空"))
    );
    let plain = customer_details("新", "姓");
    revise(&store, id, 2, plain.clone()).await.expect("it is revised");
    let customer = found(&store, id).await.expect("the customer is there").customer;
    assert_eq!((customer.details, customer.version), (plain, 3));
    assert_eq!((customer.created_at, customer.updated_at), (start(), after(60)));
}

pub async fn revising_an_old_version_is_stale_and_changes_nothing(store: AnyStore) {
    let id = add_customer(&store, &customer_details("一", "")).await;
    revise(&store, id, 1, customer_details("二", ""))
        .await
        .expect("it is revised");
    for version in [0, 1, 3] {
        let answer = revise(&store, id, version, customer_details("三", "")).await;
        assert!(matches!(answer, Err(StoreError::Stale(_))), "{version}");
    }
    let customer = found(&store, id).await.expect("the customer is there").customer;
    assert_eq!(
        (customer.details, customer.version),
        (customer_details("二", ""), 2)
    );
}

pub async fn of_many_who_revise_the_same_version_one_succeeds(store: AnyStore) {
    let id = add_customer(&store, &customer_details("一", "")).await;
    let answers = at_once(16, |number| {
        let store = Arc::clone(&store);
        async move { revise(&store, id, 1, customer_details("二", &number.to_string())).await }
    });
    let answers = answers.await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let stale = answers
        .iter()
        .filter(|answer| matches!(answer, Err(StoreError::Stale(_))));
    assert_eq!(stale.count(), 15);
}

pub async fn a_discarded_customer_is_found_nowhere(store: AnyStore) {
    let id = add_customer(&store, &customer_on("山田", "太郎", &user(1))).await;
    assert!(discard(&store, id).await);
    assert_eq!(found(&store, id).await, None);
    assert!(names(&store, None).await.is_empty());
    let carrying = read(&store, |unit| unit.customers().customers_carrying(&[user(1)])).await;
    assert!(carrying.is_empty());
    let answer = revise(&store, id, 1, customer_details("山田", "花子")).await;
    assert!(matches!(answer, Err(StoreError::Stale(_))));
    assert!(!discard(&store, id).await, "it is not there any more");
}

/// Reading before name, 姓 before 名, shorter 姓 first, the id between equals; by code points, 𠮷 last.
pub async fn the_list_is_ordered_by_reading_or_name_then_id(store: AnyStore) {
    for details in [
        customer_details("𠮷田", "一"),
        customer_details("﨑田", "一"),
        customer_read(("山田", "太郎"), ("やまだ", "たろう")),
        customer_read(("山", "田太郎"), ("ヤマ", "ダタロウ")),
        customer_read(("大和", "花子"), ("ヤマダ", "タロウ")),
        customer_details("Smith", "John"),
        customer_details("", "やまと"),
    ] {
        add_customer(&store, &details).await;
    }
    assert_eq!(
        names(&store, None).await,
        [
            "やまと",
            "Smith John",
            "山 田太郎",
            "山田 太郎",
            "大和 花子",
            "﨑田 一",
            "𠮷田 一"
        ]
    );
}

pub async fn pages_of_equal_keys_have_no_gap_and_no_double(store: AnyStore) {
    let added = write(&store, |unit| {
        let details = customer_details("山田", "太郎");
        (0..120)
            .map(|_| unit.edit_customers().add_customer(&details, start()))
            .collect::<Result<Vec<_>, _>>()
    })
    .await;
    for limit in [1, 50, 119, 120] {
        let mut seen = Vec::new();
        let mut request = PageRequest::first(limit);
        loop {
            let page = page(&store, None, request).await;
            assert!(page.items.len() <= limit);
            seen.extend(page.items.iter().map(|line| line.customer.id));
            assert!(seen.len() <= added.len(), "{limit} a page");
            let Some(next) = page.next else { break };
            request = PageRequest::after(Some(next), limit);
        }
        assert_eq!(seen, added, "{limit} a page");
    }
}

pub async fn the_list_of_a_company_holds_its_customers_only(store: AnyStore) {
    let (ours, theirs) = (
        add_company(&store, &company_details("甲")).await,
        add_company(&store, &company_details("乙")).await,
    );
    for (name, company) in [("一郎", ours), ("二郎", theirs), ("三郎", ours)] {
        add_customer(&store, &customer_of("山田", name, company)).await;
    }
    add_customer(&store, &customer_details("山田", "四郎")).await;
    assert_eq!(names(&store, Some(ours)).await, ["山田 一郎", "山田 三郎"]);
    let first = page(&store, Some(ours), PageRequest::first(1)).await;
    let rest = page(&store, Some(ours), PageRequest::after(first.next, 1)).await;
    assert_eq!((rest.items.len(), rest.next), (1, None));
    assert_eq!(rest.items[0].company_name.as_deref(), Some("甲"));
}

/// Also two ids that differ in letter case only are two.
pub async fn who_carries_an_id_comes_in_the_customers_order(store: AnyStore) {
    let (upper, lower) = (crate::fixtures::user_id("Abc"), crate::fixtures::user_id("abc"));
    let mut ids = Vec::new();
    for user in [&upper, &lower, &upper, &user(9)] {
        ids.push(add_customer(&store, &customer_on("山田", "太郎", user)).await);
    }
    let asked = [lower.clone(), upper.clone(), user(8)];
    let carrying = read(&store, move |unit| unit.customers().customers_carrying(&asked)).await;
    assert_eq!(
        carrying,
        [(upper.clone(), ids[0]), (lower, ids[1]), (upper, ids[2])]
    );
    assert!(
        read(&store, |unit| unit.customers().customers_carrying(&[]))
            .await
            .is_empty()
    );
}

/// The state of the customer's own talks, on any bot, the newest word counting; rooms say nothing of a person.
pub async fn a_line_shows_the_link_of_the_customers_talks(store: AnyStore) {
    let id = add_customer(&store, &customer_on("山田", "太郎", &user(1))).await;
    let plain = add_customer(&store, &customer_details("佐藤", "花子")).await;
    let shown = async |id| found(&store, id).await.map(|line| line.link);
    assert_eq!(shown(plain).await, Some(LinkStatus::NotSet));
    assert_eq!(shown(id).await, Some(LinkStatus::Unconfirmed));
    let mut other_bot = talk(&user(1));
    "999".clone_into(&mut other_bot.bot);
    let mut room = talk(&user(1));
    room.kind = crm_domain::conversations::ConversationKind::Room;
    let talks = open(&store, vec![talk(&user(1)), other_bot, room]).await;
    open_talk(&store, &user(2)).await;
    assert_eq!(shown(id).await, Some(LinkStatus::Unconfirmed));
    for (talk, state, at, expected) in [
        (2, LinkState::Left, 5, LinkStatus::Unconfirmed),
        (0, LinkState::Active, 10, LinkStatus::Active),
        (1, LinkState::Left, 20, LinkStatus::Left(after(20))),
        (0, LinkState::Active, 30, LinkStatus::Active),
    ] {
        let talk = talks[talk];
        write(&store, move |unit| {
            unit.edit_conversations().set_link(talk, state, after(at))
        })
        .await;
        assert_eq!(shown(id).await, Some(expected));
        let listed = page(&store, None, PageRequest::first(9)).await;
        let line = listed.items.into_iter().find(|line| line.customer.id == id);
        assert_eq!(line.map(|line| line.link), Some(expected));
    }
}
