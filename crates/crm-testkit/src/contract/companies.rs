//! Companies.

use std::collections::HashSet;
use std::sync::Arc;

use crm_domain::companies::{Company, CompanyDetails, CompanyFilter, CompanyId, CompanyLine};
use crm_domain::paging::{Page, PageRequest};
use crm_domain::ports::store::StoreError;
use crm_domain::teams::Visible;
use crm_domain::values::normalise::fold_compact;
use crm_domain::values::{Line, Remarks, Website};

use super::AnyStore;
use super::steps::{add_company, add_customer, at_once, read, try_write, write};
use crate::fixtures::{after, company_details, company_read, customer_of, phone, start};

async fn found(store: &AnyStore, id: CompanyId) -> Option<Company> {
    read(store, move |unit| unit.companies().company(id)).await
}

async fn page(store: &AnyStore, prefix: Option<&str>, request: PageRequest) -> Page<CompanyLine> {
    let filter = CompanyFilter {
        prefix: prefix.map(fold_compact),
    };
    read(store, move |unit| {
        unit.companies().company_list(&filter, &request, &Visible::All)
    })
    .await
}

async fn names(store: &AnyStore, prefix: Option<&str>) -> Vec<String> {
    let page = page(store, prefix, PageRequest::first(500)).await;
    let names = page
        .items
        .iter()
        .map(|line| line.company.details.name.as_str().to_owned());
    names.collect()
}

async fn revise(
    store: &AnyStore,
    id: CompanyId,
    version: i64,
    details: CompanyDetails,
) -> Result<(), StoreError> {
    try_write(store, move |unit| {
        unit.edit_companies()
            .revise_company(id, version, &details, after(60))
    })
    .await
}

async fn discard(store: &AnyStore, id: CompanyId) -> bool {
    write(store, move |unit| {
        unit.edit_companies().discard_company(id, after(90))
    })
    .await
}

fn full_details() -> CompanyDetails {
    CompanyDetails {
        address: Line::new("東京都𠮷祥寺1-2-3 🏢ビル").expect("a line"),
        phone: Some(phone("03-1234-5678")),
        website: Website::new("https://例え.jp/会社?a=1#b").expect("a website"),
        remarks: Remarks::new("一行目\n二行目\t🎌 'quote\" -- ;%_").expect("remarks"),
        ..company_read("株式会社髙﨑𠮷野家", "タカサキヨシノヤ")
    }
}

pub async fn an_added_company_is_found_with_version_1(store: AnyStore) {
    for details in [full_details(), company_details("あおぞら")] {
        let id = add_company(&store, &details).await;
        let company = found(&store, id).await.expect("the company is there");
        assert_eq!((company.id, company.details, company.version), (id, details, 1));
        assert_eq!((company.created_at, company.updated_at), (start(), start()));
    }
}

pub async fn equal_companies_never_collide(store: AnyStore) {
    let ids = at_once(16, |_| {
        let store = Arc::clone(&store);
        async move { add_company(&store, &company_details("同名商事")).await }
    });
    assert_eq!(ids.await.iter().collect::<HashSet<_>>().len(), 16);
    assert_eq!(names(&store, None).await, ["同名商事"; 16]);
}

pub async fn an_unknown_company_is_none(store: AnyStore) {
    for id in [1, i64::MAX] {
        assert_eq!(found(&store, CompanyId::new(id)).await, None);
        assert!(!discard(&store, CompanyId::new(id)).await);
    }
}

pub async fn revising_replaces_every_detail_and_counts_the_version(store: AnyStore) {
    let id = add_company(&store, &company_details("旧")).await;
    revise(&store, id, 1, full_details())
        .await
        .expect("it is revised");
    revise(&store, id, 2, company_details("新"))
        .await
        .expect("it is revised");
    let company = found(&store, id).await.expect("the company is there");
    assert_eq!((company.details, company.version), (company_details("新"), 3));
    assert_eq!((company.created_at, company.updated_at), (start(), after(60)));
    assert_eq!(names(&store, Some("新")).await, ["新"]);
    assert!(names(&store, Some("旧")).await.is_empty());
}

pub async fn revising_an_old_version_is_stale_and_changes_nothing(store: AnyStore) {
    let id = add_company(&store, &company_details("一")).await;
    revise(&store, id, 1, company_details("二"))
        .await
        .expect("it is revised");
    for version in [0, 1, 3] {
        let answer = revise(&store, id, version, company_details("三")).await;
        assert!(matches!(answer, Err(StoreError::Stale(_))), "{version}");
    }
    let company = found(&store, id).await.expect("the company is there");
    assert_eq!((company.details, company.version), (company_details("二"), 2));
}

pub async fn of_many_who_revise_the_same_version_one_succeeds(store: AnyStore) {
    let id = add_company(&store, &company_details("一")).await;
    let answers = at_once(16, |number| {
        let store = Arc::clone(&store);
        async move { revise(&store, id, 1, company_details(&format!("二{number}"))).await }
    });
    let answers = answers.await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let stale = answers
        .iter()
        .filter(|answer| matches!(answer, Err(StoreError::Stale(_))));
    assert_eq!(stale.count(), 15);
    assert_eq!(found(&store, id).await.map(|company| company.version), Some(2));
}

pub async fn a_discarded_company_is_found_nowhere(store: AnyStore) {
    let id = add_company(&store, &company_details("あおぞら")).await;
    assert!(discard(&store, id).await);
    assert_eq!(found(&store, id).await, None);
    assert!(names(&store, None).await.is_empty());
    let named = read(&store, |unit| unit.companies().companies_named("あおぞら")).await;
    assert!(named.is_empty());
    let answer = revise(&store, id, 1, company_details("あおぞら")).await;
    assert!(matches!(answer, Err(StoreError::Stale(_))));
    assert!(!discard(&store, id).await, "it is not there any more");
}

pub async fn a_discarded_company_leaves_its_customers_without_company(store: AnyStore) {
    let (gone, stays) = (
        add_company(&store, &company_details("甲")).await,
        add_company(&store, &company_details("乙")).await,
    );
    let orphan = add_customer(&store, &customer_of("山田", "太郎", gone)).await;
    let other = add_customer(&store, &customer_of("佐藤", "花子", stays)).await;
    assert!(discard(&store, gone).await);
    let lines = read(&store, move |unit| {
        Ok((
            unit.customers().customer(orphan, &Visible::All)?,
            unit.customers().customer(other, &Visible::All)?,
        ))
    });
    let (orphan, other) = lines.await;
    let orphan = orphan.expect("the customer stays");
    assert_eq!(
        (orphan.customer.details.company_id, orphan.company_name),
        (None, None)
    );
    let other = other.expect("the customer stays");
    assert_eq!(other.customer.details.company_id, Some(stays));
    assert_eq!(other.company_name.as_deref(), Some("乙"));
}

/// The reading decides, the name where there is none, the id between equals; by code points, 𠮷 last.
pub async fn the_list_is_ordered_by_reading_or_name_then_id(store: AnyStore) {
    for details in [
        company_details("𠮷"),
        company_details("﨑"),
        company_read("渡辺商店", "アイウ"),
        company_details("ABC"),
        company_read("青木", "あいう"),
        company_details("あい"),
    ] {
        add_company(&store, &details).await;
    }
    assert_eq!(
        names(&store, None).await,
        ["ABC", "あい", "渡辺商店", "青木", "﨑", "𠮷"]
    );
}

pub async fn pages_of_equal_keys_have_no_gap_and_no_double(store: AnyStore) {
    let added = write(&store, |unit| {
        (0..120)
            .map(|_| {
                unit.edit_companies()
                    .add_company(&company_details("同名商事"), start())
            })
            .collect::<Result<Vec<_>, _>>()
    })
    .await;
    let mut seen = Vec::new();
    let mut request = PageRequest::first(7);
    loop {
        let page = page(&store, None, request).await;
        assert!(page.items.len() <= 7);
        seen.extend(page.items.iter().map(|line| line.company.id));
        assert!(seen.len() <= added.len());
        let Some(next) = page.next else { break };
        request = PageRequest::after(Some(next), 7);
    }
    assert_eq!(seen, added);
}

pub async fn a_page_tells_whether_there_is_a_next_one(store: AnyStore) {
    for name in ["あ", "い", "う"] {
        add_company(&store, &company_details(name)).await;
    }
    let of = async |limit| page(&store, None, PageRequest::first(limit)).await;
    assert!(of(3).await.next.is_none());
    assert!(of(4).await.next.is_none());
    let first = of(2).await;
    assert_eq!(first.next, first.items.last().map(CompanyLine::cursor));
    add_company(&store, &company_details("ああ")).await;
    let rest = page(&store, None, PageRequest::after(first.next, 2)).await;
    assert_eq!(
        rest.items.len(),
        1,
        "what was added before the cursor is not repeated"
    );
    assert!(rest.next.is_none());
}

pub async fn the_list_counts_customers_outside_the_trash(store: AnyStore) {
    let (full, empty) = (
        add_company(&store, &company_details("甲")).await,
        add_company(&store, &company_details("乙")).await,
    );
    for name in ["一郎", "二郎", "三郎"] {
        add_customer(&store, &customer_of("山田", name, full)).await;
    }
    let gone = add_customer(&store, &customer_of("山田", "四郎", full)).await;
    write(&store, move |unit| {
        unit.edit_customers().discard_customer(gone, after(1))
    })
    .await;
    let mut counts: Vec<_> = page(&store, None, PageRequest::first(9)).await.items;
    counts.sort_by_key(|line| line.company.id);
    let counts: Vec<_> = counts
        .iter()
        .map(|line| (line.company.id, line.customers))
        .collect();
    assert_eq!(counts, [(full, 3), (empty, 0)]);
}

pub async fn a_prefix_finds_the_beginning_of_name_and_reading(store: AnyStore) {
    add_company(&store, &company_read("株式会社 青空", "アオゾラ")).await;
    add_company(&store, &company_details("サーバー工房")).await;
    add_company(&store, &company_details("ABC Works")).await;
    for (typed, expected) in [
        ("株式会社青", "株式会社 青空"),
        ("株式会社　青空", "株式会社 青空"),
        ("あおぞ", "株式会社 青空"),
        ("ｱｵｿﾞﾗ", "株式会社 青空"),
        ("ｻｰﾊﾞｰ", "サーバー工房"),
        ("ａｂｃｗ", "ABC Works"),
    ] {
        assert_eq!(names(&store, Some(typed)).await, [expected], "{typed}");
    }
    for typed in ["青空", "工房", "works", "株式会社青空x"] {
        assert!(names(&store, Some(typed)).await.is_empty(), "{typed}");
    }
}

pub async fn a_prefix_takes_every_sign_literally(store: AnyStore) {
    for name in [
        "100%果汁",
        "100点",
        "a_b",
        "axb",
        "[甲]",
        "甲",
        "*星",
        "O'Neil",
        "\\円",
    ] {
        add_company(&store, &company_details(name)).await;
    }
    for (typed, expected) in [
        ("100%", "100%果汁"),
        ("a_", "a_b"),
        ("[甲", "[甲]"),
        ("*", "*星"),
        ("o'n", "O'Neil"),
        ("\\", "\\円"),
    ] {
        assert_eq!(names(&store, Some(typed)).await, [expected], "{typed}");
    }
    for typed in ["%", "_", "?", "'"] {
        assert!(names(&store, Some(typed)).await.is_empty(), "{typed}");
    }
}

pub async fn companies_of_the_same_folded_name_come_oldest_first(store: AnyStore) {
    let mut expected = Vec::new();
    for name in ["株式会社アオゾラ", "株式会社 あおぞら", "株式会社ｱｵｿﾞﾗ"] {
        expected.push(add_company(&store, &company_details(name)).await);
    }
    add_company(&store, &company_details("株式会社あおぞら二")).await;
    let key = fold_compact("株式会社あおぞら");
    let named = read(&store, move |unit| unit.companies().companies_named(&key)).await;
    assert_eq!(
        named.iter().map(|company| company.id).collect::<Vec<_>>(),
        expected
    );
}
