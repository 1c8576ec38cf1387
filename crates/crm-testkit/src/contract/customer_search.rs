//! Finding customers by the beginning of what is known of them.

use crm_domain::customers::{CustomerDetails, CustomerFilter, CustomerPrefix};
use crm_domain::paging::PageRequest;
use crm_domain::teams::Visible;

use super::AnyStore;
use super::steps::{add_company, add_customer, read};
use crate::fixtures::{
    company_details, customer_details, customer_of, customer_on, customer_read, email, phone, user_id,
};

async fn found(store: &AnyStore, typed: &str) -> Vec<String> {
    let filter = CustomerFilter {
        prefix: CustomerPrefix::new(typed),
        company: None,
    };
    assert!(filter.prefix.is_some(), "{typed} is something");
    listed(store, filter).await
}

async fn listed(store: &AnyStore, filter: CustomerFilter) -> Vec<String> {
    let page = read(store, move |unit| {
        unit.customers()
            .customer_list(&filter, &PageRequest::first(500), &Visible::All)
    });
    let names = page
        .await
        .items
        .into_iter()
        .map(|line| line.customer.details.name.full());
    names.collect()
}

async fn fill(store: &AnyStore) {
    add_customer(store, &customer_read(("山田", "太郎"), ("ヤマダ", "タロウ"))).await;
    let hanako = CustomerDetails {
        email: Some(email("Hanako@Example.jp")),
        phone: Some(phone("03-1234-5678")),
        ..customer_details("佐藤", "花子")
    };
    add_customer(store, &hanako).await;
    add_customer(store, &customer_on("𠮷野", "John", &user_id("Uabc-DEF"))).await;
}

pub async fn a_name_is_found_with_and_without_blank(store: AnyStore) {
    fill(&store).await;
    for typed in ["山", "山田", "山田太", "山田 太郎", " 山田　太郎 "] {
        assert_eq!(found(&store, typed).await, ["山田 太郎"], "{typed}");
    }
    for typed in ["𠮷", "𠮷野john", "𠮷野 ＪＯＨＮ"] {
        assert_eq!(found(&store, typed).await, ["𠮷野 John"], "{typed}");
    }
    for typed in ["太郎", "田", "山田太郎x", "john"] {
        assert!(found(&store, typed).await.is_empty(), "{typed}");
    }
}

pub async fn a_reading_is_found_in_every_kana(store: AnyStore) {
    fill(&store).await;
    for typed in ["やま", "ヤマダ", "ﾔﾏﾀﾞ", "ﾔﾏﾀﾞ ﾀﾛｳ", "やまだ たろう", "ヤマダたろ"]
    {
        assert_eq!(found(&store, typed).await, ["山田 太郎"], "{typed}");
    }
    assert!(found(&store, "たろう").await.is_empty());
}

pub async fn an_e_mail_is_found_in_any_letter_case_and_width(store: AnyStore) {
    fill(&store).await;
    for typed in ["hanako@", "HANAKO@EXAMPLE.JP", "Hanako", "ｈａｎａｋｏ＠ｅｘ"] {
        assert_eq!(found(&store, typed).await, ["佐藤 花子"], "{typed}");
    }
    assert!(found(&store, "example.jp").await.is_empty());
}

pub async fn a_phone_is_found_with_any_dash_and_width(store: AnyStore) {
    fill(&store).await;
    for typed in [
        "03",
        "031234",
        "03-1234",
        "０３−１２３４",
        "03ー1234ー5678",
        "(03) 1234 5678",
    ] {
        assert_eq!(found(&store, typed).await, ["佐藤 花子"], "{typed}");
    }
    assert!(found(&store, "1234").await.is_empty());
}

/// Letter case counts, for the id is no word.
pub async fn a_user_id_is_found_as_typed(store: AnyStore) {
    fill(&store).await;
    for typed in ["U", "Uabc", " Uabc-DEF "] {
        assert_eq!(found(&store, typed).await, ["𠮷野 John"], "{typed}");
    }
    for typed in ["abc", "uabc", "Uabc-def", "Uabc-DEFx"] {
        assert!(found(&store, typed).await.is_empty(), "{typed}");
    }
}

/// Somebody without e-mail, phone or id is not found by letters that are no number.
pub async fn an_empty_form_matches_nothing(store: AnyStore) {
    fill(&store).await;
    assert!(found(&store, "どこにもない").await.is_empty());
    let nothing = CustomerPrefix {
        name: String::new(),
        email: String::new(),
        phone: String::new(),
        user_id: String::new(),
    };
    let filter = CustomerFilter {
        prefix: Some(nothing),
        company: None,
    };
    assert!(listed(&store, filter).await.is_empty());
}

pub async fn a_prefix_takes_every_sign_literally(store: AnyStore) {
    for last in ["100%", "a_b", "axb", "*", "O'Neil", "[甲]", "甲", "\\"] {
        add_customer(&store, &customer_details(last, "")).await;
    }
    for (typed, expected) in [
        ("100%", "100%"),
        ("a_", "a_b"),
        ("*", "*"),
        ("o'", "O'Neil"),
        ("[甲", "[甲]"),
        ("\\", "\\"),
    ] {
        assert_eq!(found(&store, typed).await, [expected], "{typed}");
    }
    for typed in ["%", "_", "?", "'"] {
        assert!(found(&store, typed).await.is_empty(), "{typed}");
    }
}

/// A customer who matches in several fields is listed once, in the list's order; a company narrows the search.
pub async fn a_search_is_a_list_like_any_other(store: AnyStore) {
    let company = add_company(&store, &company_details("青空")).await;
    let twice = CustomerDetails {
        email: Some(email("sato@example.jp")),
        ..customer_read(("Sato", "二郎"), ("サトウ", "ジロウ"))
    };
    add_customer(&store, &twice).await;
    add_customer(&store, &customer_of("sato", "一郎", company)).await;
    assert_eq!(found(&store, "SATO").await, ["sato 一郎", "Sato 二郎"]);
    let filter = CustomerFilter {
        prefix: CustomerPrefix::new("sato"),
        company: Some(company),
    };
    assert_eq!(listed(&store, filter).await, ["sato 一郎"]);
}
