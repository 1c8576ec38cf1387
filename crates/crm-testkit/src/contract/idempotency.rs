//! Answers kept under a key.

use crm_domain::companies::CompanyFilter;
use crm_domain::conversations::ConversationId;
use crm_domain::idempotency::{Answer, Asked, IdempotencyKey, KeptAnswer, Named};
use crm_domain::members::{MemberId, Role};
use crm_domain::paging::PageRequest;
use crm_domain::ports::store::StoreError;
use crm_domain::teams::Visible;

use super::AnyStore;
use super::steps::{add_customer, at_once, open_talk, read, try_write, write};
use crate::fixtures::{after, company_details, customer_details, new_member, start, user};

async fn member(store: &AnyStore, number: u32) -> MemberId {
    let new = new_member(&format!("m{number}@example.jp"), "社員", Role::Member);
    write(store, move |unit| unit.edit_members().add_member(&new, start())).await
}

fn asked(member: MemberId, key: &str) -> Asked {
    Asked {
        member,
        method: "POST",
        path: "/api/v1/customers".to_owned(),
        key: IdempotencyKey::new(key).expect("a key").expect("not empty"),
        body: [7; 32],
    }
}

fn answer(body: &str) -> Answer {
    Answer {
        status: 201,
        location: Some("/api/v1/customers/1".to_owned()),
        body: body.to_owned(),
    }
}

/// Keeps an answer as of so many seconds; what was kept before second 0 has had its time.
async fn keep(
    store: &AnyStore,
    asked: &Asked,
    body: &str,
    named: Named,
    seconds: i64,
) -> Result<(), StoreError> {
    let (asked, answer) = (asked.clone(), answer(body));
    let kept = try_write(store, move |unit| {
        unit.edit_idempotency()
            .keep_answer(&asked, &answer, named, start(), after(seconds))
    });
    kept.await
}

async fn kept(store: &AnyStore, asked: &Asked) -> Option<KeptAnswer> {
    let asked = asked.clone();
    read(store, move |unit| unit.idempotency().kept_answer(&asked, start())).await
}

pub async fn a_kept_answer_is_found_as_it_was(store: AnyStore) {
    let asked = asked(member(&store, 1).await, "k-1~!");
    assert_eq!(kept(&store, &asked).await, None);
    keep(&store, &asked, "{\"名\":\"太郎\"}", Named::default(), 1)
        .await
        .expect("kept");
    let found = kept(&store, &asked).await.expect("found");
    assert_eq!(found.asked, [7; 32]);
    assert_eq!(found.answer, answer("{\"名\":\"太郎\"}"));
}

pub async fn a_key_belongs_to_member_method_and_path(store: AnyStore) {
    let (taro, hanako) = (member(&store, 1).await, member(&store, 2).await);
    let first = asked(taro, "k");
    keep(&store, &first, "first", Named::default(), 1)
        .await
        .expect("kept");
    let others = [
        asked(hanako, "k"),
        asked(taro, "K"),
        Asked {
            method: "PUT",
            ..asked(taro, "k")
        },
        Asked {
            path: "/api/v1/companies".to_owned(),
            ..asked(taro, "k")
        },
    ];
    for other in &others {
        assert_eq!(kept(&store, other).await, None);
        keep(&store, other, "other", Named::default(), 1)
            .await
            .expect("another key");
    }
    let found = kept(&store, &first).await.expect("found");
    assert_eq!(found.answer.body, "first");
    let same = keep(&store, &first, "second", Named::default(), 2).await;
    assert!(matches!(same, Err(StoreError::Taken("key"))));
}

pub async fn an_answer_whose_time_is_over_is_not_found_and_replaced(store: AnyStore) {
    let asked = asked(member(&store, 1).await, "k");
    keep(&store, &asked, "old", Named::default(), -1)
        .await
        .expect("kept");
    assert_eq!(kept(&store, &asked).await, None);
    keep(&store, &asked, "new", Named::default(), 1)
        .await
        .expect("in its place");
    assert_eq!(kept(&store, &asked).await.expect("found").answer.body, "new");
}

pub async fn answers_whose_time_is_over_are_forgotten(store: AnyStore) {
    let member = member(&store, 1).await;
    for (key, seconds) in [("a", 1), ("b", 2), ("c", 3)] {
        keep(&store, &asked(member, key), key, Named::default(), seconds)
            .await
            .expect("kept");
    }
    let forget = |limit| {
        write(&store, move |unit| {
            unit.edit_idempotency().forget_answers(after(3), limit)
        })
    };
    assert_eq!(forget(1).await, 1);
    assert_eq!(forget(10).await, 1);
    assert_eq!(forget(10).await, 0);
    assert_eq!(kept(&store, &asked(member, "a")).await, None);
    assert!(kept(&store, &asked(member, "c")).await.is_some());
}

pub async fn an_answer_goes_with_whom_it_names(store: AnyStore) {
    let member = member(&store, 1).await;
    let customer = add_customer(&store, &customer_details("山田", "太郎")).await;
    let talk: ConversationId = open_talk(&store, &user(1)).await;
    let of = |customer, conversation| Named {
        customer,
        conversation,
    };
    for (key, named) in [
        ("customer", of(Some(customer), None)),
        ("talk", of(None, Some(talk))),
        ("nobody", Named::default()),
    ] {
        keep(&store, &asked(member, key), key, named, 1)
            .await
            .expect("kept");
    }
    write(&store, move |unit| {
        unit.edit_erasures().forget_talk(&(talk, user(1)))?;
        unit.edit_erasures().erase_customer(customer)
    })
    .await;
    assert_eq!(kept(&store, &asked(member, "customer")).await, None);
    assert_eq!(kept(&store, &asked(member, "talk")).await, None);
    assert!(kept(&store, &asked(member, "nobody")).await.is_some());
}

pub async fn of_many_with_the_same_key_one_has_its_effect(store: AnyStore) {
    let asked = asked(member(&store, 1).await, "k");
    let tries = at_once(8, |number| {
        let (store, asked) = (store.clone(), asked.clone());
        async move {
            try_write(&store, move |unit| {
                if let Some(kept) = unit.idempotency().kept_answer(&asked, start())? {
                    return Ok(kept.answer.body);
                }
                let name = format!("会社{number}");
                unit.edit_companies()
                    .add_company(&company_details(&name), after(1))?;
                unit.edit_idempotency().keep_answer(
                    &asked,
                    &answer(&name),
                    Named::default(),
                    start(),
                    after(1),
                )?;
                Ok(name)
            })
            .await
        }
    });
    let names: Vec<String> = tries
        .await
        .into_iter()
        .map(|name| name.expect("all are answered"))
        .collect();
    let list = read(&store, |unit| {
        unit.companies()
            .company_list(&CompanyFilter::default(), &PageRequest::first(10), &Visible::All)
    });
    let list = list.await.items;
    assert_eq!(list.len(), 1);
    assert!(
        names
            .iter()
            .all(|name| name == list[0].company.details.name.as_str())
    );
}
