//! The trash.

use crm_domain::companies::CompanyId;
use crm_domain::customers::{CustomerDetails, CustomerId};
use crm_domain::teams::Visible;
use crm_domain::trash::{TrashKey, TrashPlace, Trashed};

use super::AnyStore;
use super::steps::{add_company, add_customer, read, write};
use crate::fixtures::{after, company_details, customer_details, customer_of, email, phone, user};

async fn trash(store: &AnyStore, place: Option<TrashPlace>, limit: usize) -> Vec<Trashed> {
    read(store, move |unit| unit.trash().trash(place, limit)).await
}

async fn discard(store: &AnyStore, key: TrashKey, second: i64) {
    write(store, move |unit| {
        match key {
            TrashKey::Customer(id) => unit.edit_customers().discard_customer(id, after(second))?,
            TrashKey::Company(id) => unit.edit_companies().discard_company(id, after(second))?,
        };
        unit.edit_trash().sign_discard(key, "管理 花子")
    })
    .await;
}

async fn is_there(store: &AnyStore, id: CustomerId) -> bool {
    read(store, move |unit| unit.customers().customer(id, &Visible::All))
        .await
        .is_some()
}

async fn restore(store: &AnyStore, key: TrashKey) -> bool {
    write(store, move |unit| unit.edit_trash().restore(key, after(90))).await
}

pub async fn what_was_deleted_lies_in_the_trash_newest_first(store: AnyStore) {
    let company = TrashKey::Company(add_company(&store, &company_details("青空")).await);
    let mut keys = Vec::new();
    for (name, second) in [("一", 10), ("二", 30), ("三", 20)] {
        let key = TrashKey::Customer(add_customer(&store, &customer_details(name, "")).await);
        discard(&store, key, second).await;
        keys.push(key);
    }
    discard(&store, company, 20).await;
    let all = trash(&store, None, 9).await;
    let order: Vec<TrashKey> = all.iter().map(|row| row.key).collect();
    assert_eq!(order, [keys[1], keys[2], company, keys[0]]);
    assert_eq!(
        (
            all[0].name.as_str(),
            all[0].deleted_at,
            all[0].deleted_by.as_deref()
        ),
        ("二", after(30), Some("管理 花子"))
    );
    for limit in [1, 2, 3] {
        let (mut seen, mut place) = (Vec::new(), None);
        loop {
            let part = trash(&store, place, limit).await;
            let Some(last) = part.last() else { break };
            place = Some(last.place());
            seen.extend(part.iter().map(|row| row.key));
        }
        assert_eq!(seen, order, "{limit} a page");
    }
    let over = read(&store, |unit| unit.trash().trash_before(after(20), 9)).await;
    assert_eq!(over.iter().map(|row| row.key).collect::<Vec<_>>(), [keys[0]]);
}

pub async fn what_is_restored_is_as_it_was_and_a_company_without_its_people(store: AnyStore) {
    let firm = add_company(&store, &company_details("青空")).await;
    let id = add_customer(&store, &customer_of("山田", "太郎", firm)).await;
    let key = TrashKey::Customer(id);
    assert!(!restore(&store, key).await, "it is not in the trash");
    discard(&store, key, 1).await;
    assert!(!is_there(&store, id).await);
    assert!(restore(&store, key).await && is_there(&store, id).await);
    assert_eq!(trash(&store, None, 9).await, []);
    discard(&store, TrashKey::Company(firm), 2).await;
    assert!(restore(&store, TrashKey::Company(firm)).await);
    let line = read(&store, move |unit| unit.customers().customer(id, &Visible::All)).await;
    assert_eq!(line.expect("it is there").customer.details.company_id, None);
    let company = read(&store, move |unit| unit.companies().company(firm)).await;
    assert!(company.is_some());
    assert!(!restore(&store, TrashKey::Company(CompanyId::new(404))).await);
}

pub async fn who_shares_an_address_is_named_field_by_field(store: AnyStore) {
    let details = |name: &str| CustomerDetails {
        email: Some(email("a@example.jp")),
        phone: Some(phone("03-1234-5678")),
        line_user_id: Some(user(1)),
        ..customer_details(name, "")
    };
    let id = add_customer(&store, &details("一")).await;
    discard(&store, TrashKey::Customer(id), 1).await;
    let none = read(&store, move |unit| unit.trash().collisions(id)).await;
    assert_eq!(none, []);
    let other = add_customer(&store, &details("二")).await;
    let third = CustomerDetails {
        phone: None,
        line_user_id: None,
        email: Some(email("A@EXAMPLE.jp")),
        ..details("三")
    };
    let third = add_customer(&store, &third).await;
    add_customer(&store, &customer_details("四", "")).await;
    let found = read(&store, move |unit| unit.trash().collisions(id)).await;
    let told: Vec<_> = found.iter().map(|one| (one.field, one.customer)).collect();
    let expected = [
        ("email", other),
        ("email", third),
        ("phone", other),
        ("line_user_id", other),
    ];
    assert_eq!(told, expected);
    assert_eq!(found[0].name, "二");
}

pub async fn a_purged_company_is_gone(store: AnyStore) {
    let firm = add_company(&store, &company_details("青空")).await;
    let purge = async || write(&store, move |unit| unit.edit_trash().purge_company(firm)).await;
    assert!(!purge().await, "it is not in the trash");
    discard(&store, TrashKey::Company(firm), 1).await;
    assert!(purge().await && !purge().await);
    assert_eq!(trash(&store, None, 9).await, []);
}
